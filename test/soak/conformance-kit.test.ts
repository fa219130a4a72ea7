import { describe, expect, it } from "vitest";
import { checks } from "../../conformance/src/checks.ts";
import { cucumberOf } from "../../conformance/src/reports/cucumber.ts";
import { junitOf } from "../../conformance/src/reports/junit.ts";
import { type Result, runChecks } from "../../conformance/src/run-checks.ts";
import { serve } from "../../conformance/test/server.ts";

/** Defects for which the kit waits for an event that never arrives. */
const silent = ["stream-first-event", "stream-reconnect", "stream-change"];

async function resultsFor(defect?: string): Promise<readonly Result[]> {
  const { url, close } = await serve(defect);
  const toggle = async () => void (await fetch(`${url}/toggle`));
  const options = {
    url,
    token: "secret",
    context: { targetingKey: "one" },
    otherContext: { targetingKey: "other" },
    change: toggle,
    undo: toggle,
    origin: "https://app.example",
    streams: 15,
    timeoutMs: defect !== undefined && silent.includes(defect) ? 2_000 : 20_000,
  };
  try {
    return await runChecks(options, true, () => {});
  } finally {
    await close();
  }
}

const idsOf = (results: readonly Result[], outcome: Result["outcome"]) =>
  results.filter((result) => result.outcome === outcome).map(({ check }) => check.id);

describe("the OFREP conformance kit", () => {
  it("passes a server that follows all rules, and skips no check", async () => {
    const results = await resultsFor();
    expect(results.filter(({ outcome }) => outcome !== "passed")).toEqual([]);
    expect(results).toHaveLength(checks.length);
  });

  it.concurrent.each(checks.map(({ id }) => id))("finds the defect %s, and no other", async (id) => {
    expect(idsOf(await resultsFor(id), "failed")).toEqual([id]);
  });

  it("reports as JUnit XML and as Cucumber Messages", async () => {
    const results = await resultsFor("etag-list");
    const junit = junitOf(results);
    expect(junit).toContain(`tests="${checks.length}" failures="1" skipped="0"`);
    expect(junit).toMatch(/name="etag-list: [^"]+" time="[\d.]+"><failure message="expected 304, got 200"/);
    const lines = cucumberOf(results, new Date(0), "0.0.0").trimEnd().split("\n");
    const envelopes = lines.map((line) => JSON.parse(line) as Record<string, { success?: boolean }>);
    expect(envelopes.filter((each) => "testCase" in each)).toHaveLength(checks.length);
    expect(envelopes.at(-1)?.["testRunFinished"]?.success).toBe(false);
  });
});
