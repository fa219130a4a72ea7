import { constantContestant, constantOf } from "../contestants/constant.ts";
import { obtain } from "../contestants/contestant.ts";
import { plainServer } from "../contestants/plain.ts";
import { seedDesign } from "../contestants/seed-design/seed-design.ts";
import {
  everyUser,
  hits,
  misses,
  notModified,
  stale,
  startFilledRedis,
  unknownTokens,
} from "../contestants/tidegate.ts";
import { unleash } from "../contestants/unleash.ts";
import { interleaved, type Slice } from "../rounds.ts";

export const names = {
  bare: "bare node:http",
  hono: "Hono",
  map: "map of responses",
  hit: "Tidegate, hit",
  notModified: "Tidegate, 304",
  miss: "Tidegate, miss",
  commands: "five commands",
  unknown: "Tidegate, unknown token",
  stale: "Tidegate, stale",
  seedOne: "Flask, 1 worker",
  seedTwo: "Flask, 2 workers",
  unleash: "Unleash, frontend API",
} as const;

export const connections = [32, 128] as const;

/**
 * Requests per second of servers that have one processor each. `skipped` are those that could not run, with the reason.
 */
export type Rates = { readonly slices: readonly Slice[]; readonly skipped: readonly string[] };

export async function rates(): Promise<Rates> {
  await using opened = new AsyncDisposableStack();
  const redis = await startFilledRedis(opened);
  const hit = await hits(opened, redis);
  const constant = await constantOf(hit.server.url);
  const { contestants, skipped } = await obtain([
    () => constantContestant(opened, names.bare, "bare.ts", constant, everyUser()),
    async () => hit,
    () => constantContestant(opened, names.hono, "hono.ts", constant, everyUser()),
    () => notModified(opened, redis),
    () => plainServer(opened, names.map, "map.ts", redis),
    () => misses(opened, redis),
    () => plainServer(opened, names.commands, "commands.ts", redis),
    () => unknownTokens(opened, redis),
    () => stale(opened),
    () => seedDesign(opened, names.seedOne, ["--workers", "1"], redis),
    () => seedDesign(opened, names.seedTwo, ["--workers", "2"], redis),
    () => unleash(opened),
  ]);
  return { slices: await interleaved(contestants, { connections }), skipped };
}
