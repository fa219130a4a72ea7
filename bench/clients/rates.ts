import { mkdtempDisposable } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { bearer } from "../client.ts";
import { cacheForAnHour, startFilledRedis } from "../contestants/tidegate.ts";
import { tokenOf } from "../data.ts";
import { type Server, startServer } from "../process.ts";
import type { Row } from "../row.ts";
import { spreadOf } from "../spread.ts";
import { startOnRecorded } from "./kit/idle.ts";

const path = "/ofrep/v1/evaluate/flags";
const rounds = Number(process.env["ROUNDS"] ?? 15);
const users = 1_000;
// The processor time of a process is counted in steps of 10 ms.
const callsPerRound = 60_000;
const connections = 16;
const body = '{"context":{"location":"es/madrid"}}';
const addedByNode = ["date", "connection", "keep-alive"];

type Headers = Readonly<Record<string, string>>;
type Contestant = { readonly server: Server; readonly requests: readonly string[]; readonly status: number };
type Figures = { readonly perSecond: number; readonly cpuMicros: number };

/** Bulk evaluations of 1,000 users, beside a bare `node:http` that returns the same responses to the same requests. */
export async function measure(): Promise<readonly Row[]> {
  await using opened = new AsyncDisposableStack();
  const redis = await startFilledRedis(opened);
  const folder = opened.use(await mkdtempDisposable(join(tmpdir(), "tidegate-rates-"))).path;
  const server = await startOnRecorded(opened, redis, folder, { env: cacheForAnHour });
  const url = new URL(path, server.url).href;
  const etags: string[] = [];
  let last = await evaluate(url, 0);
  for (let pass = 0; pass < 3; pass++) {
    for (let user = 0; user < users; user++) {
      last = await evaluate(url, user);
      etags[user] = last.headers.get("etag") ?? "";
    }
  }
  const modified = all(() => ({}));
  const unmodified = all((user) => ({ "If-None-Match": etags[user] ?? "" }));
  const notModified = await evaluate(url, users - 1, { "If-None-Match": etags.at(-1) ?? "" });
  const rows: Row[] = [];
  for (const [name, requests, like, least] of [
    ["an OFREP bulk hit", modified, last, 0.6],
    ["an OFREP 304", unmodified, notModified, 0.75],
  ] as const) {
    const bare = await startBare(opened, like);
    const ours = { server, requests, status: like.status };
    const [bareRounds, ourRounds] = await interleaved({ server: bare, requests, status: like.status }, ours);
    const rates = spreadOf(ourRounds.map(({ perSecond }, index) => perSecond / (bareRounds[index]?.perSecond ?? 0)));
    const micros = (figures: readonly Figures[]) => spreadOf(figures.map(({ cpuMicros }) => cpuMicros)).min;
    const ratio = micros(bareRounds) / micros(ourRounds);
    const times = `${micros(ourRounds).toFixed(1)} to ${micros(bareRounds).toFixed(1)} µs`;
    rows.push({
      asked: `${name}, of ${like.body.length} characters, at ${least.toFixed(2)} of the rate of bare \`node:http\``,
      reached: `${ratio.toFixed(2)} by the least processor time (${times}); by rate ${rates.median.toFixed(2)} (${rates.min.toFixed(2)} to ${rates.max.toFixed(2)}), in ${rounds} rounds`,
      isReached: ratio >= least,
      reason:
        "the bare server returns a constant. In a CPU profile of 304s on a busy machine, 11 % of the time is Tidegate's own code: SHA-256 of the credentials (3 %), the look-up among cached responses that are in no processor cache (3 %), reading the headers, freshness and counts. The rest is Node's HTTP, reading the body and the write to the socket, which both servers have.",
    });
  }
  return rows;
}

/** The requests of all users. */
const all = (more: (user: number) => Headers): readonly string[] =>
  Array.from({ length: users }, (_, user) => {
    const headers = { ...bearer(tokenOf(user)), ...more(user), "Content-Type": "application/json" };
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    return `POST ${path} HTTP/1.1\r\nHost: localhost\r\n${lines.join("")}Content-Length: ${body.length}\r\n\r\n${body}`;
  });

async function evaluate(url: string, user: number, more: Headers = {}) {
  const headers = { ...bearer(tokenOf(user)), ...more, "Content-Type": "application/json" };
  const response = await fetch(url, { method: "POST", headers, body });
  if (response.status !== 200 && response.status !== 304) throw new Error(`${response.status} for user ${user}`);
  return { status: response.status, headers: response.headers, body: await response.text() };
}

function startBare(opened: AsyncDisposableStack, like: Awaited<ReturnType<typeof evaluate>>): Promise<Server> {
  const own = [...like.headers].filter(([name]) => !addedByNode.includes(name));
  return startServer(opened, [process.execPath, resolve(import.meta.dirname, "../contestants/servers/bare-post.ts")], {
    path,
    env: { HEADERS: JSON.stringify(Object.fromEntries(own)), BODY: like.body, STATUS: `${like.status}` },
  });
}

/** The figures of both in each round. The first round of each only warms up. */
async function interleaved(one: Contestant, other: Contestant): Promise<readonly [Figures[], Figures[]]> {
  const figures: [Figures[], Figures[]] = [[], []];
  for (let count = 0; count <= rounds; count++) {
    const both = [await round(one), await round(other)] as const;
    if (count > 0) for (const [index, each] of both.entries()) figures[index]?.push(each);
  }
  return figures;
}

async function round({ server, requests, status }: Contestant): Promise<Figures> {
  const { hostname, port } = new URL(server.url);
  const cpu = server.process.cpuSeconds();
  const start = performance.now();
  let next = 0;
  const connection = async () => {
    const socket = connect(Number(port), hostname);
    const responses = socket.iterator({ destroyOnReturn: false });
    for (let call = next++; call < callsPerRound; call = next++) {
      socket.write(requests[call % requests.length] ?? "");
      await answered(responses, status);
    }
    socket.destroy();
  };
  await Promise.all(Array.from({ length: connections }, connection));
  const seconds = (performance.now() - start) / 1_000;
  const cpuMicros = ((server.process.cpuSeconds() - cpu) / callsPerRound) * 1e6;
  return { perSecond: callsPerRound / seconds, cpuMicros };
}

async function answered(responses: AsyncIterator<Buffer>, status: number): Promise<void> {
  let text = "";
  let length = Number.POSITIVE_INFINITY;
  while (text.length < length) {
    const { value, done } = await responses.next();
    if (done) throw new Error("the server closed the connection");
    text += value.toString("latin1");
    const headLength = text.indexOf("\r\n\r\n") + 4;
    if (headLength >= 4) length = headLength + Number(/^content-length: (\d+)/im.exec(text)?.[1] ?? 0);
  }
  if (!text.startsWith(`HTTP/1.1 ${status} `)) throw new Error(text.slice(0, 500));
}
