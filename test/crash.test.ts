import { describe, expect, it } from "vitest";
import { runCrash } from "./support/crash.ts";

/** `make crash` makes more of them. */
const changes = Number(process.env["CRASH_CHANGES"] ?? 400);

describe("under kills of instances, Redis and PostgreSQL, cut connections, raw edits, a flush and a rollback", () => {
  it(
    "every acknowledged change stands in the log once, no revision is missing, and the log tells what the sets hold",
    async () => {
      const { faults, ...run } = await runCrash(changes);
      console.log(run);
      expect(faults).toEqual([]);
      expect(run.acknowledged).toBeGreaterThanOrEqual(changes);
      expect(Object.keys(run.kills)).toHaveLength(5);
      expect(run.rawEdits).toBeGreaterThan(10);
    },
    600_000 + changes * 100,
  );
});
