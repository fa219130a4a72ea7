import { relative } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * Beginnings of the names of long files, longest first. The size of a file does not tell its time: most of these start
 * processes and browsers, or wait for faults.
 */
const long = [
  "test/infrastructure/event-log/event-log",
  "test/journeys/",
  "test/backoffice/",
  "test/bootstrap/runtime/",
  "test/adapters/cli/",
  "test/docs/",
  "test/examples/",
  "test/soak/package",
  "test/soak/backoffice-accessibility",
  "test/soak/new-source",
  "test/soak/site",
  "test/soak/backoffice-",
];

/** Starts long test files first, so that none runs alone at the end; then as vitest does, the largest first. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).toSorted((a, b) => this.#rank(a) - this.#rank(b));
  }

  #rank({ moduleId }: TestSpecification): number {
    const name = relative(this.ctx.config.root, moduleId);
    const rank = long.findIndex((beginning) => name.startsWith(beginning));
    return rank === -1 ? long.length : rank;
  }
}
