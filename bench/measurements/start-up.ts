import { constantContestant, constantOf } from "../contestants/constant.ts";
import { startFilledRedis, startTidegate } from "../contestants/tidegate.ts";
import { allProcessors, keepTo, loadProcessor } from "../processors.ts";

/** Milliseconds from the start of a process to its first response. */
export type StartUp = { readonly tidegate: readonly number[]; readonly bare: readonly number[] };

const runs = Number(process.env["RUNS"] ?? 10);

export async function startUp(): Promise<StartUp> {
  keepTo(allProcessors);
  try {
    await using opened = new AsyncDisposableStack();
    const redis = await startFilledRedis(opened, 100);
    const options = { processors: allProcessors };
    const constant = await constantOf((await startTidegate(opened, redis, options)).url);
    const [tidegate, bare]: [number[], number[]] = [[], []];
    for (let run = 0; run < runs; run++) {
      tidegate.push(await timed((started) => startTidegate(started, redis, options)));
      bare.push(await timed((started) => constantContestant(started, "bare", "bare.ts", constant, "", allProcessors)));
    }
    return { tidegate, bare };
  } finally {
    keepTo(loadProcessor);
  }
}

async function timed(start: (opened: AsyncDisposableStack) => Promise<unknown>): Promise<number> {
  await using opened = new AsyncDisposableStack();
  const before = performance.now();
  await start(opened);
  return performance.now() - before;
}
