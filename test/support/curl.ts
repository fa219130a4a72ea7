import { once } from "node:events";
import { request } from "node:http";
import { text } from "node:stream/consumers";
import { parseArgs } from "node:util";

const options = {
  user: { type: "string", short: "u" },
  header: { type: "string", short: "H", multiple: true },
  request: { type: "string", short: "X" },
  data: { type: "string", short: "d" },
  "dump-header": { type: "string", short: "D" },
  output: { type: "string", short: "o" },
  "write-out": { type: "string", short: "w" },
} as const;

/** Prints what `curl --silent` prints, for the options that pages use. Throws for any other. */
export async function curl(args: readonly string[]): Promise<string> {
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  const { user, header = [], data, "dump-header": head, output, "write-out": format = "" } = values;
  const [url = "", ...others] = positionals;
  if (others.length > 0) throw new Error(`curl: more than one URL: ${positionals.join(" ")}`);
  if (head !== undefined && head !== "-") throw new Error(`curl: headers go to -, not to ${head}`);
  if (output !== undefined && output !== "/dev/null")
    throw new Error(`curl: output goes to /dev/null, not to ${output}`);
  const headers = Object.fromEntries([
    ...(user === undefined ? [] : [["authorization", `Basic ${Buffer.from(user).toString("base64")}`]]),
    ...(data === undefined ? [] : [["content-type", "application/x-www-form-urlencoded"]]),
    ...header.map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 1).trim()]),
  ]);
  const outgoing = request(url, { method: values.request ?? (data === undefined ? "GET" : "POST"), headers });
  outgoing.end(data);
  const [incoming] = await once(outgoing, "response");
  const body = await text(incoming);
  const lines = pairs(incoming.rawHeaders).map(([name, value]) => `${name}: ${value}\r\n`);
  const dumped = `HTTP/1.1 ${incoming.statusCode} ${incoming.statusMessage}\r\n${lines.join("")}\r\n`;
  return [head === undefined ? "" : dumped, output === undefined ? body : "", written(format, incoming.headers)].join(
    "",
  );
}

const pairs = (list: readonly string[]): string[][] =>
  list.flatMap((name, index) => (index % 2 === 0 ? [[name, list[index + 1] ?? ""]] : []));

/** The text for `--write-out`. */
function written(format: string, headers: Readonly<Record<string, unknown>>): string {
  const filled = format
    .replaceAll("\\n", "\n")
    .replaceAll(/%header\{([^}]+)\}/g, (_, name) => String(headers[name] ?? ""));
  if (/[%\\]/.test(format.replaceAll("\\n", "").replaceAll(/%header\{[^}]+\}/g, ""))) {
    throw new Error(`curl: unknown --write-out ${format}`);
  }
  return filled;
}
