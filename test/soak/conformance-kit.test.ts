import { readFileSync } from "node:fs";
import { parseEnvelope } from "@cucumber/messages";
import { Ajv2020 } from "ajv/dist/2020.js";
import sax from "sax";
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
    timeoutMs: defect !== undefined && silent.includes(defect) ? 5_000 : 20_000,
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

  it("reports as JUnit XML", async () => {
    const results = await resultsFor("etag-list");
    const junit = junitOf(results);
    expect(junit).toContain(`tests="${checks.length}" failures="1" errors="0" skipped="0"`);
    expect(junit).toMatch(/name="etag-list: [^"]+" time="[\d.]+"><failure message="expected 304, got 200"/);
    const parser = sax.parser(true);
    const names: string[] = [];
    parser.onopentag = ({ name }) => names.push(name);
    parser.onerror = (error) => expect.fail(error.message);
    parser.write(junit).close();
    expect(names.filter((name) => name === "testcase")).toHaveLength(checks.length);
  });

  it("reports as Cucumber Messages that their schema accepts", () => {
    const results = checks.map((check, index) => ({
      check,
      outcome: (["passed", "failed", "warned", "skipped"] as const)[index % 4] ?? "passed",
      message: index % 4 === 0 ? "" : `"<${index}>"`,
      milliseconds: 999.999_999_9,
    }));
    const envelopes = cucumberOf(results, new Date("2026-11-29T12:00:00.999Z"), "0.0.0").trimEnd().split("\n");
    const schema = JSON.parse(readFileSync("node_modules/@cucumber/messages/messages.schema.json", "utf8"));
    const validate = new Ajv2020({ strict: false }).compile(schema);
    for (const text of envelopes) {
      const envelope = parseEnvelope(text);
      expect([text, validate(JSON.parse(text)), validate.errors]).toEqual([text, true, null]);
      const { testStepFinished, testRunFinished } = envelope;
      if (testStepFinished)
        expect(testStepFinished.testStepResult.duration).toEqual({ seconds: 0, nanos: 999_999_999 });
      if (testRunFinished) expect(testRunFinished.success).toBe(false);
    }
    expect(envelopes.filter((text) => text.startsWith('{"testCase":'))).toHaveLength(checks.length);
  });
});
