import { expect } from "vitest";
import type { Backlog } from "../../src/domain/events/outbox.ts";
import { redisOutbox } from "../../src/infrastructure/redis/stores/redis-outbox.ts";
import { aChange, type redisStore } from "./stores.ts";
import { until } from "./until.ts";

/** The test that an outbox with more lists than are tracked is emptied. `lists` is a multiple of 500. */
export async function emptiesManyLists(
  { connection, server: { client } }: Awaited<ReturnType<typeof redisStore>>,
  { lists, maxTracked }: { readonly lists: number; readonly maxTracked: number },
): Promise<void> {
  const record = { of: "token", ...aChange(), tokenId: "t", origin: "issued", at: 1 };
  const text = JSON.stringify({ ...record, revision: { epoch: "e", number: 1 }, userId: "" });
  const fill = `for i = ARGV[1], ARGV[1] + 499 do
    redis.call("RPUSH", "tidegate:outbox:{" .. i .. "}", ARGV[2]:sub(1, -3) .. i .. '"}')
  end`;
  for (let first = 0; first < lists; first += 500) await client.eval(fill, 0, first, text);
  await using outbox = redisOutbox(client, connection.invalidations(["tidegate:outbox:"]), maxTracked);
  let backlog: Backlog | undefined;
  // A busy machine may need longer than the time limit of a command.
  const ask = async () => {
    backlog = await outbox.backlog().catch(() => undefined);
    return backlog !== undefined;
  };
  await until(ask, "it tells how much it knows of");
  expect(backlog).toEqual({ entries: maxTracked, oldest: 1 });
  const taken = new Set<string>();
  const take = async () => {
    const entries = await outbox.read(500).catch(() => undefined);
    for (const { text } of entries ?? []) taken.add(text);
    await outbox.remove(entries ?? []).catch(() => {});
    return entries?.length === 0 && (await client.dbsize()) === 1;
  };
  await until(take, "all is taken", 240_000);
  expect(taken.size).toBe(lists);
  await until(ask, "it tells how much is left");
  expect(backlog).toEqual({ entries: 0, oldest: undefined });
}
