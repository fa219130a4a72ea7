import { describe, expect, it } from "vitest";
import { runChaos } from "./support/chaos.ts";

/** `make chaos` runs it for longer. */
const durationMs = Number(process.env["CHAOS_SECONDS"] ?? 8) * 1_000;

describe("under cuts, silences, killed connections and a blocked process", () => {
  it(
    "gives no answer as fresh that is older than a second, and none older than it says",
    async () => {
      const { faults, reads, fresh, writes, violations, worstFreshMs } = await runChaos({ durationMs, lease: true });
      console.log({ faults, reads, fresh, writes, worstFreshMs });
      expect(violations).toEqual([]);
      expect(fresh).toBeGreaterThan(1_000);
      expect(writes).toBeGreaterThan(100);
    },
    2 * durationMs + 30_000,
  );

  it(
    "would find such answers: without the lease there are some",
    async () => {
      const { violations } = await runChaos({ durationMs, lease: false });
      expect(violations.length).toBeGreaterThan(0);
    },
    2 * durationMs + 30_000,
  );
});
