import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { adminToken } from "./operator.ts";
import { TestProcess } from "./process.ts";
import { type RedisServer, startRedis } from "./redis.ts";
import { bearer } from "./service.ts";
import { inRedis, inSqlite, kindsEnv, switchesRules } from "./switches.ts";
import { until } from "./until.ts";

type Logged = { readonly key: string; readonly revision: string; readonly data: { readonly note: string } };

const features = ["a", "b", "c"];

/** The number of kills, and of changes before each. */
type Size = { readonly lives: number; readonly changesOfEach: number };

/** The tests that no change of a rule is lost or recorded twice, over each kind of store. */
export function rulesCrashRuns({ lives, changesOfEach }: Size): void {
  describe.each(["sqlite", "redis"])("rules over %s, in a service that is killed", (kind) => {
    let folder: string;
    let redis: RedisServer | undefined;
    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), "tidegate-crash-"));
      if (kind === "redis") redis = await startRedis();
      writeFileSync(join(folder, "tidegate.yaml"), switchesRules(redis ? inRedis(redis.url) : inSqlite));
    });
    afterAll(async () => {
      await redis?.[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true });
    });

    const start = () =>
      new TestProcess(["src/main.ts"], {
        ...kindsEnv,
        TIDEGATE_CONFIG: join(folder, "tidegate.yaml"),
        TIDEGATE_ADMIN_TOKEN: adminToken,
        TIDEGATE_DATA: folder,
        FOLDER: folder,
        HOST: "127.0.0.1",
        PORT: "0",
      });

    it(
      "are recorded once for each change that was acknowledged, and as they are",
      async () => {
        const acknowledged: string[] = [];
        let url = "";
        let isOver = false;
        const call = (path: string, method = "GET", rule?: object, headers = {}) =>
          fetch(`${url}${path}`, {
            method,
            headers: { ...bearer(adminToken), "content-type": "application/json", ...headers },
            ...(rule && { body: JSON.stringify(rule) }),
          });
        /** Sends each change under one Idempotency-Key until it is acknowledged. */
        const write = async (feature: string) => {
          for (let count = 0; !isOver; count++) {
            const note = randomUUID();
            const path = `/admin/v1/sources/switches/rules/${feature}?note=${note}`;
            const isMade = async () => {
              const [method, rule] =
                count % 5 === 4 ? (["DELETE"] as const) : (["PUT", { on: count % 2 === 0 }] as const);
              const answer = await call(path, method, rule, { "idempotency-key": note }).catch(() => undefined);
              return answer?.status === 200;
            };
            await until(isMade, "the change is acknowledged", 60_000);
            acknowledged.push(note);
          }
        };
        let writers: Promise<unknown> | undefined;
        for (let life = 0; life < lives; life++) {
          await using service = start();
          url = await service.url();
          writers ??= Promise.all(features.map(write));
          const before = acknowledged.length;
          await until(() => acknowledged.length > before + changesOfEach, "changes are made", 60_000);
          service.signal("SIGKILL");
          await service.exit();
        }
        await using service = start();
        url = await service.url();
        isOver = true;
        await writers;

        const logged: Logged[] = [];
        const read = async () => {
          logged.splice(0);
          for (const feature of features) {
            const path = `/events?component=features&key=switches/${feature}&limit=1000`;
            const { events } = (await (await call(path)).json()) as { events: Logged[] };
            logged.push(...events);
          }
          return logged.length >= acknowledged.length;
        };
        await until(read, "all changes are in the log", 60_000);
        expect(logged.map(({ data }) => data.note).sort()).toEqual(acknowledged.sort());
        for (const feature of features) {
          const numbers = logged.filter(({ key }) => key === `switches/${feature}`).map(({ revision }) => revision);
          const counted = numbers.map((revision) => Number(revision.split(".").at(-1))).sort((a, b) => a - b);
          expect(counted).toEqual(counted.map((_, index) => index + 1));
        }
        const setIn = async (answer: Response) =>
          ((await answer.json()) as { active_features?: string[] }).active_features;
        let past: string[] | undefined;
        let present: string[] | undefined;
        const recall = async () => {
          const answer = await fetch(`${url}/features`);
          present = answer.headers.has("cache-status") ? undefined : await setIn(answer);
          const recalled = await call(`/features?at=${new Date(Date.now() - 1).toISOString()}`);
          past = recalled.headers.has("cache-status") ? undefined : await setIn(recalled);
          return past !== undefined && present !== undefined;
        };
        await until(recall, "all rules are on record, and the service answers afresh", 60_000);
        expect(past).toEqual(present);
      },
      240_000 + lives * 60_000,
    );
  });
}
