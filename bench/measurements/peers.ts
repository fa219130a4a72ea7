import { writeFileSync } from "node:fs";
import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "../client.ts";
import { type Contestant, obtain } from "../contestants/contestant.ts";
import { flagd } from "../contestants/flagd.ts";
import { evaluate, evaluateEach, evaluating, flagsFile, type LoadName } from "../contestants/ofrep.ts";
import { startTidegate } from "../contestants/tidegate.ts";
import type { Server } from "../process.ts";
import { interleaved, type Slice } from "../rounds.ts";

/** Other flag servers that evaluate a file of flags over OFREP, by name. */
const others: Readonly<Record<string, (opened: AsyncDisposableStack, file: string) => Promise<Server>>> = { flagd };

export const ours = "Tidegate";
export const peerNames = Object.keys(others);
export const connections = 32;
/** An eighth of the cache is for callers without a token, and a part of that for the first use of a response. */
export const capacity = "4000000";

/** Tidegate and other flag servers, each on one processor, evaluate the same flags over OFREP. */
export type Peers = {
  readonly slices: readonly Slice[];
  /** Servers that could not run, with the reason. */
  readonly skipped: readonly string[];
  /** The size of a response, by contestant. */
  readonly bytes: Readonly<Record<string, number>>;
};

export async function peers(): Promise<Peers> {
  await using opened = new AsyncDisposableStack();
  const folder = opened.use(await mkdtempDisposable(join(tmpdir(), "tidegate-peers-"))).path;
  const flags = join(folder, "flags.json");
  writeFileSync(flags, flagsFile());
  const config = join(folder, "peers.yaml");
  writeFileSync(config, "sources: [{ name: flags, kind: flagd, file: flags.json }]\ncontext: { attributes: any }\n");
  const tidegate = (env: NodeJS.ProcessEnv = {}) =>
    startTidegate(opened, "", { env: { ...env, TIDEGATE_CONFIG: config } });
  const { contestants, skipped } = await obtain<readonly Contestant[]>([
    async () => {
      const server = await tidegate({ CACHE_CAPACITY: capacity });
      await evaluateEach(server);
      return [evaluating(ours, "repeated callers", server)];
    },
    async () => [evaluating(ours, "new contexts", await tidegate())],
    ...Object.entries(others).map(([name, start]) => async () => {
      const server = await start(opened, flags);
      const under = (load: LoadName) => evaluating(name, load, server);
      return [under("repeated callers"), under("new contexts")];
    }),
  ]);
  const all = contestants.flat();
  const slices = await interleaved(all, { connections: [connections] });
  using client = new Client();
  const sizes = all.map(async ({ name, server }) => [name, (await evaluate(client, server, 0)).bytes] as const);
  return { slices, skipped, bytes: Object.fromEntries(await Promise.all(sizes)) };
}
