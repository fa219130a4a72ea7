import { type ChildProcess, execFileSync, fork } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { cpus, loadavg } from "node:os";
import { join, resolve } from "node:path";
import { CountUsage, type Tally } from "../../src/application/usage/count-usage.ts";
import { percentile, spreadOf } from "../spread.ts";

const root = resolve(import.meta.dirname, "../..");
const page = join(root, "docs/benchmarks/usage.md");
const rounds = Number(process.env["ROUNDS"] ?? 40);
const calls = 10_000;
/** Pipelined requests, so that little of the measured time is the kernel's. */
const atOnce = 100;
const clients = 1_000;
const warmRounds = 5;
/** The maximum cost of counting, as a part of a hit. */
const limit = 0.03;

type Server = { readonly process: ChildProcess; readonly url: URL };

async function serve(counting: "yes" | "no"): Promise<Server> {
  const child = fork(join(import.meta.dirname, "server.ts"), { env: { ...process.env, COUNTING: counting } });
  const [{ url: text }] = (await once(child, "message")) as [{ url: string }];
  return { process: child, url: new URL(text) };
}

async function cpuMicros({ process: child }: Server): Promise<number> {
  const reply = once(child, "message") as Promise<[{ micros: number }]>;
  child.send("cpu");
  return (await reply)[0].micros;
}

/** Requests of all clients in turn, in batches. */
const batches = Array.from({ length: clients / atOnce }, (_, batch) =>
  Array.from(
    { length: atOnce },
    (_, index) =>
      `GET /features HTTP/1.1\r\nHost: localhost\r\nTidegate-Client-Id: client-${batch * atOnce + index}\r\n\r\n`,
  ).join(""),
);

const status = "HTTP/1.1 200 OK";

/** Sends all requests on one connection. */
async function call({ url }: Server): Promise<void> {
  const socket = connect(Number(url.port), url.hostname);
  for (let batch = 0; batch * atOnce < calls; batch++) {
    socket.write(batches[batch % batches.length] ?? "");
    await answered(socket);
  }
  socket.destroy();
}

/** Resolves when a batch is answered. */
async function answered(socket: Socket): Promise<void> {
  let answers = 0;
  let last = "";
  for await (const data of socket.iterator({ destroyOnReturn: false })) {
    // A status line may be split between two chunks.
    const text = last + data.toString("latin1");
    answers += text.split(status).length - 1;
    if (/HTTP\/1.1 [45]/.test(text)) throw new Error(text);
    // A body ends with a brace, and so does nothing else here.
    if (answers === atOnce && text.endsWith("}")) return;
    last = text.slice(1 - status.length);
  }
  throw new Error("the server closed the connection");
}

async function microsPerCall(server: Server): Promise<number> {
  const before = await cpuMicros(server);
  await call(server);
  return ((await cpuMicros(server)) - before) / calls;
}

/**
 * Processor time of counting itself, per response, in microseconds: of as many tallies as clients, in a random order, and
 * added up every 100,000 responses.
 */
async function countingMicros(): Promise<number> {
  const names = Array.from({ length: 100 }, (_, index) => `feature_${index}`);
  const usage = new CountUsage(async () => new Set(names));
  const tallies = Array.from({ length: clients }, (_, client) => {
    const flags = names.filter((_, index) => (client + index * 7) % 2 === 0).map((key) => ({ key, on: true }));
    return usage.tallyOf(`${client}`, () => ({ flags, omitsOff: true }));
  });
  const order = Array.from({ length: 100_000 }, () => tallies[Math.floor(Math.random() * clients)] as Tally);
  const runs: number[] = [];
  for (let run = 0; run < 50; run++) {
    const before = process.cpuUsage();
    for (const tally of order) usage.count(tally);
    await usage.take();
    const { user, system } = process.cpuUsage(before);
    runs.push((user + system) / order.length);
  }
  return spreadOf(runs).median;
}

/** Processor time per call in one round, in microseconds. */
type Figures = { readonly with: number; readonly without: number };

const loadBefore = loadavg()[0] ?? Number.NaN;
const [counting, without] = [await serve("yes"), await serve("no")];
try {
  for (const server of [counting, without]) for (let round = 0; round < warmRounds; round++) await call(server);
  const figures: Figures[] = [];
  for (let round = 0; round < rounds; round++) {
    // In turn, and each first in half of the rounds.
    const order = round % 2 === 0 ? [counting, without] : [without, counting];
    const micros = new Map<Server, number>();
    for (const server of order) micros.set(server, await microsPerCall(server));
    figures.push({ with: micros.get(counting) ?? Number.NaN, without: micros.get(without) ?? Number.NaN });
  }
  const text = pageOf(figures, await countingMicros());
  console.log(text);
  writeFileSync(page, text);
} finally {
  for (const { process: child } of [counting, without]) child.disconnect();
}

function pageOf(figures: readonly Figures[], counted: number): string {
  const ratios = figures.map((each) => each.with / each.without);
  const ratio = spreadOf(ratios);
  const [low, high] = [percentile(ratios, 0.25), percentile(ratios, 0.75)];
  const micros = (name: keyof Figures) => spreadOf(figures.map((each) => each[name])).median;
  const part = counted / micros("without");
  const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
  const [processor] = cpus();
  const shown = (part: number) => `${(part * 100).toFixed(1)} %`;
  return `<!-- Written by \`make bench-usage\`. -->

# Benchmark of usage counts

Measured on ${cpus().length} cores (${processor?.model.trim()}), ${new Date().toISOString().slice(0, 10)}, commit ${commit},
with a load of ${loadBefore.toFixed(1)} before it began. Quote the ratios rather than the times.

| target | result | |
| --- | --- | --- |
| counting costs at most ${shown(limit)} of a hit | ${shown(part)} | ${part <= limit ? "reached" : "**missed**"} |

Counting a response takes ${(counted * 1_000).toFixed(0)} ns of processor time, with its part of the sums at the end of a minute. A hit without
counting takes ${micros("without").toFixed(2)} µs. ${clients.toLocaleString("en")} clients have different sets of 100 features each, so that each has a tally of its own.

As a check, two processes of the same code serve in turn, ${calls.toLocaleString("en")} pipelined calls per round; one has an empty function in
place of the one that counts. The median of the ratios of ${rounds} rounds is ${ratio.median.toFixed(3)}; half of them are between ${low.toFixed(3)} and
${high.toFixed(3)}. On a busy machine this check is less exact than the limit.
`;
}
