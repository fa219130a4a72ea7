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
const uri = "ofrep-conformance.feature";
const feature = { keyword: "Feature", name: "OFREP 0.3.0" };
const runId = "run";
const stepDefinitionId = "check";

/** The results as Cucumber Messages, one JSON envelope per line: a scenario with one step for each check. */
export function cucumberOf(results: readonly Result[], startedAt: Date, version: string): string {
  const success = results.every(({ outcome }) => outcome !== "failed");
  const [attempts, finishedAt] = attemptsOf(results, startedAt.getTime());
  const envelopes = [
    {
      meta: {
        protocolVersion,
        implementation: { name: "ofrep-conformance", version },
        runtime: { name: "Node.js", version: process.versions.node },
        os: { name: process.platform },
        cpu: { name: process.arch },
      },
    },
    ...documentOf(results),
    {
      stepDefinition: {
        id: stepDefinitionId,
        pattern: { source: ".*", type: "REGULAR_EXPRESSION" },
        sourceReference: { uri },
      },
    },
    { testRunStarted: { id: runId, timestamp: timestampOf(startedAt.getTime()) } },
    ...results.map(({ check: { id } }) => ({
      testCase: {
        id: `${id}/case`,
        testRunStartedId: runId,
        pickleId: `${id}/pickle`,
        testSteps: [
          {
            id: `${id}/case/step`,
            pickleStepId: `${id}/pickle/step`,
            stepDefinitionIds: [stepDefinitionId],
            stepMatchArgumentsLists: [{ stepMatchArguments: [] }],
          },
        ],
      },
    })),
    ...attempts,
    { testRunFinished: { testRunStartedId: runId, success, timestamp: timestampOf(finishedAt) } },
  ];
  return `${envelopes.map((envelope) => JSON.stringify(envelope)).join("\n")}\n`;
}

/** The checks as a Gherkin document: its text, its syntax tree, and a pickle for each scenario. */
function documentOf(results: readonly Result[]): object[] {
  const lines = [`${feature.keyword}: ${feature.name}`];
  const children = results.map(({ check: { id, level, rule } }) => {
    const line = lines.push("", `  @${level}`, `  Scenario: ${id}`, `    * ${rule}`);
    const scenario = {
      id,
      location: { line: line - 1, column: 3 },
      tags: [{ id: `${id}/tag`, location: { line: line - 2, column: 3 }, name: `@${level}` }],
      keyword: "Scenario",
      name: id,
      description: "",
      steps: [{ id: `${id}/step`, location: { line, column: 5 }, keyword: "* ", keywordType: "Unknown", text: rule }],
      examples: [],
    };
    return { scenario };
  });
  const root = { location: { line: 1, column: 1 }, tags: [], language: "en", description: "", ...feature, children };
  return [
    { source: { uri, data: `${lines.join("\n")}\n`, mediaType: "text/x.cucumber.gherkin+plain" } },
    { gherkinDocument: { uri, feature: root, comments: [] } },
    ...results.map(({ check: { id, rule, level } }) => ({
      pickle: {
        id: `${id}/pickle`,
        uri,
        name: id,
        language: "en",
        astNodeIds: [id],
        tags: [{ name: `@${level}`, astNodeId: `${id}/tag` }],
        steps: [{ id: `${id}/pickle/step`, text: rule, type: "Unknown", astNodeIds: [`${id}/step`] }],
      },
    })),
  ];
}

/** The envelopes of each check's run, one after the other, and the time at which the last one ended. */
function attemptsOf(results: readonly Result[], startedAt: number): [envelopes: object[], finishedAt: number] {
  let at = startedAt;
  const envelopes = results.flatMap(({ check, outcome, message, milliseconds }) => {
    const id = `${check.id}/attempt`;
    const step = { testCaseStartedId: id, testStepId: `${check.id}/case/step` };
    const started = timestampOf(at);
    at += milliseconds;
    const testStepResult = {
      status: statuses[outcome],
      duration: timestampOf(milliseconds),
      ...(message && { message }),
    };
    return [
      { testCaseStarted: { id, attempt: 0, testCaseId: `${check.id}/case`, timestamp: started } },
      { testStepStarted: { ...step, timestamp: started } },
      { testStepFinished: { ...step, testStepResult, timestamp: timestampOf(at) } },
      { testCaseFinished: { testCaseStartedId: id, willBeRetried: false, timestamp: timestampOf(at) } },
    ];
  });
  return [envelopes, at];
}

/** Milliseconds as a Cucumber timestamp or duration. */
function timestampOf(milliseconds: number) {
  const seconds = Math.floor(milliseconds / 1_000);
  return { seconds, nanos: Math.floor((milliseconds - seconds * 1_000) * 1_000_000) };
}
