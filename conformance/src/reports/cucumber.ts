import type { Result } from "../run-checks.ts";

const statuses: Record<Result["outcome"], string> = {
  passed: "PASSED",
  failed: "FAILED",
  // Cucumber has no warnings.
  warned: "PASSED",
  skipped: "SKIPPED",
};

/** Version of the Cucumber Messages protocol (https://github.com/cucumber/messages) that the report follows. */
const protocolVersion = "34.2.1";
const uri = "ofrep-conformance";

/** The results as Cucumber Messages, one JSON envelope per line: a pickle with one step for each check. */
export function cucumberOf(results: readonly Result[], startedAt: Date, version: string): string {
  const runId = "run";
  const envelopes: object[] = [
    {
      meta: {
        protocolVersion,
        implementation: { name: "ofrep-conformance", version },
        runtime: { name: "Node.js", version: process.versions.node },
        os: { name: process.platform },
        cpu: { name: process.arch },
      },
    },
    ...results.map(({ check: { id, rule, level } }) => ({
      pickle: {
        id,
        uri,
        name: rule,
        language: "en",
        astNodeIds: [],
        tags: [{ name: `@${level}`, astNodeId: id }],
        steps: [{ id: `${id}/step`, text: rule, type: "Outcome", astNodeIds: [] }],
      },
    })),
    { testRunStarted: { id: runId, timestamp: timestampOf(startedAt.getTime()) } },
    ...results.map(({ check: { id } }) => ({
      testCase: {
        id: `${id}/case`,
        testRunStartedId: runId,
        pickleId: id,
        testSteps: [{ id: `${id}/case/step`, pickleStepId: `${id}/step`, stepDefinitionIds: [] }],
      },
    })),
  ];
  let at = startedAt.getTime();
  for (const { check, outcome, message, milliseconds } of results) {
    const id = `${check.id}/attempt`;
    const step = { testCaseStartedId: id, testStepId: `${check.id}/case/step` };
    const started = timestampOf(at);
    at += milliseconds;
    const testStepResult = {
      status: statuses[outcome],
      duration: timestampOf(milliseconds),
      ...(message && { message }),
    };
    envelopes.push(
      { testCaseStarted: { id, attempt: 0, testCaseId: `${check.id}/case`, timestamp: started } },
      { testStepStarted: { ...step, timestamp: started } },
      { testStepFinished: { ...step, testStepResult, timestamp: timestampOf(at) } },
      { testCaseFinished: { testCaseStartedId: id, willBeRetried: false, timestamp: timestampOf(at) } },
    );
  }
  const success = results.every(({ outcome }) => outcome !== "failed");
  envelopes.push({ testRunFinished: { testRunStartedId: runId, success, timestamp: timestampOf(at) } });
  return `${envelopes.map((envelope) => JSON.stringify(envelope)).join("\n")}\n`;
}

/** Milliseconds as a Cucumber timestamp or duration. */
const timestampOf = (milliseconds: number) => ({
  seconds: Math.floor(milliseconds / 1_000),
  nanos: Math.round((milliseconds % 1_000) * 1_000_000),
});
