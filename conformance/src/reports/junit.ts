import type { Result } from "../run-checks.ts";

/** The results as JUnit XML. A warning is a passed case with its message as output. */
export function junitOf(results: readonly Result[]): string {
  const count = (outcome: Result["outcome"]) => results.filter((result) => result.outcome === outcome).length;
  const seconds = results.reduce((sum, { milliseconds }) => sum + milliseconds, 0) / 1_000;
  const totals = `tests="${results.length}" failures="${count("failed")}" errors="0" skipped="${count("skipped")}"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuite name="OFREP conformance" ${totals} time="${seconds.toFixed(3)}">`,
    ...results.map(caseOf),
    "</testsuite>",
    "",
  ].join("\n");
}

function caseOf({ check, outcome, message, milliseconds }: Result): string {
  const name = escaped(`${check.id}: ${check.rule}`);
  const start = `  <testcase classname="ofrep" name="${name}" time="${(milliseconds / 1_000).toFixed(3)}"`;
  const text = escaped(message);
  if (outcome === "failed") return `${start}><failure message="${text}">${escaped(check.source)}</failure></testcase>`;
  if (outcome === "skipped") return `${start}><skipped message="${text}"/></testcase>`;
  if (outcome === "warned") return `${start}><system-out>${text}</system-out></testcase>`;
  return `${start}/>`;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: XML allows no control characters
const invalid = /[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g;
const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

const escaped = (text: string): string =>
  text.replace(invalid, "?").replace(/[&<>"]/g, (character) => entities[character] ?? character);
