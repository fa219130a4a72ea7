import type { Reporter, TestModule } from "vitest/node";

/** A test file, with the time to load and run it. */
export type TimedFile = { readonly name: string; readonly ms: number };

const shown = 10;

/** Reporter: prints the duration of the run, its ten slowest files, and the retried tests. */
export class SlowFiles implements Reporter {
  #startedAt = performance.now();

  onTestRunStart(): void {
    this.#startedAt = performance.now();
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const files = modules.map((module) => {
      const { collectDuration, duration } = module.diagnostic();
      return { name: module.relativeModuleId, ms: collectDuration + duration };
    });
    console.log(slowFilesText(performance.now() - this.#startedAt, files));
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        if (test.diagnostic()?.retryCount) console.log(`repeated: ${module.relativeModuleId} > ${test.fullName}`);
      }
    }
  }
}

/** The lines for a run of `totalMs`. */
export function slowFilesText(totalMs: number, files: readonly TimedFile[]): string {
  const slowest = files.toSorted((a, b) => b.ms - a.ms).slice(0, shown);
  const lines = slowest.map(({ name, ms }) => `${seconds(ms).padStart(8)}  ${name}`);
  return [`${files.length} files in ${seconds(totalMs)}; the slowest:`, ...lines].join("\n");
}

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
