import { readFileSync, writeFileSync } from "node:fs";
import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { bearer, Client, checkAnswers } from "../client.ts";
import type { Contestant } from "../contestants/contestant.ts";
import { cacheForAnHour, everyUser, startFilledRedis, startTidegate } from "../contestants/tidegate.ts";
import { tokenOf, userCount } from "../data.ts";
import { interleaved, type Slice } from "../rounds.ts";
import type { Row } from "../row.ts";
import { spreadOf } from "../spread.ts";
import { rotating } from "../wrk.ts";

const adminToken = "a-credential-for-the-benchmark";
const path = "/features?location=es/madrid";
const wanted = "happy_hour";
const connections = [32];
/** A ratio of 0.95 is less than the difference between rounds. */
const many = { connections, rounds: 12, seconds: 2 };

/** Sources of the context, in addition to those of a plain service: location, schedule and percentage. */
const more = `
  - { name: place, kind: set, connection: features, key: "location:{location}", gatedBy: [evenings, quarter] }
  - { name: evenings, kind: schedule, connection: features, role: gate, default: allow }
  - { name: quarter, kind: percentage, connection: features, role: gate, default: allow }
`;
/** It is on now, and its rule repeats daily. */
const evenings = { windows: [{ recurrence: "FREQ=DAILY", from: "00:00", to: "00:00", timeZone: "Europe/Madrid" }] };

const users = Array.from({ length: userCount }, (_, user) => ({ path, headers: bearer(tokenOf(user)) }));

/**
 * Requests that need a schedule, a percentage and the sets of two locations, compared with plain ones, on one Redis.
 */
export async function measure(): Promise<readonly Row[]> {
  await using opened = new AsyncDisposableStack();
  const redis = await startFilledRedis(opened);
  const folder = opened.use(await mkdtempDisposable(join(tmpdir(), "tidegate-context-"))).path;
  const file = join(folder, "context.yaml");
  writeFileSync(file, readFileSync(resolve(import.meta.dirname, "../../config/tidegate.yaml"), "utf8") + more);
  const withContext = { TIDEGATE_CONFIG: file, TIDEGATE_ADMIN_TOKEN: adminToken };
  const small = { CACHE_CAPACITY: `${userCount / 10}` };

  const plain = async (name: string, env: NodeJS.ProcessEnv): Promise<Contestant> => {
    const server = await startTidegate(opened, redis, { env });
    return { name, server, script: everyUser(), check: () => checkAnswers(server.url) };
  };
  const rich = async (name: string, env: NodeJS.ProcessEnv): Promise<Contestant> => {
    const server = await startTidegate(opened, redis, { env: { ...env, ...withContext } });
    await setUp(server.url);
    return { name, server, script: rotating(users), check: () => checkShare(server.url) };
  };
  const remembered = await interleaved(
    [await plain("plain, remembered", cacheForAnHour), await rich("context, remembered", cacheForAnHour)],
    many,
  );
  const anew = await interleaved([await plain("plain, anew", small), await rich("context, anew", small)], {
    connections,
  });
  const rate = ratios(remembered, ({ perSecond }) => perSecond);
  const cost = ratios(anew, ({ cpuMicros }) => cpuMicros);
  return [
    {
      asked: "a remembered call that needs a schedule, a percentage and a location, at 0.95 of the rate of a plain one",
      reached: shown(rate),
      isReached: rate.median >= 0.95,
    },
    {
      asked: "such a call that is not remembered, at most 1.5 times the processor time of a plain one",
      reached: shown(cost),
      isReached: cost.median <= 1.5,
    },
  ];
}

async function setUp(url: string): Promise<void> {
  const put = async (target: string, body?: unknown) => {
    const answer = await fetch(new URL(`/admin/v1/sources/${target}`, url), {
      method: "PUT",
      headers: { authorization: `Bearer ${adminToken}`, ...(body ? { "content-type": "application/json" } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    if (!answer.ok) throw new Error(`${target}: ${await answer.text()}`);
  };
  await put(`place/features/${wanted}?location=es`);
  await put(`evenings/rules/${wanted}`, evenings);
  await put(`quarter/rules/${wanted}`, { percentage: 25 });
}

async function checkShare(url: string): Promise<void> {
  using client = new Client();
  let having = 0;
  for (const { headers } of users.slice(0, 400)) {
    const { body } = await client.ask(new URL(path, url).href, headers);
    if (body.includes(`"${wanted}"`)) having += 1;
  }
  if (having < 60 || having > 140) throw new Error(`${having} of 400 users get what a quarter of them is to get`);
}

/** The ratio of the second to the first in each round. */
function ratios(slices: readonly Slice[], figure: (slice: Slice) => number) {
  const rounds = Map.groupBy(slices, ({ round }) => round);
  return spreadOf(
    [...rounds.values()].map(([first, second]) => (first && second ? figure(second) / figure(first) : Number.NaN)),
  );
}

const shown = ({ median, min, max }: ReturnType<typeof ratios>): string =>
  `${median.toFixed(2)} (${min.toFixed(2)} to ${max.toFixed(2)})`;
