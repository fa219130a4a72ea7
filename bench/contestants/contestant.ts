import type { Server } from "../process.ts";

/** Who is measured: a server, what is sent to it, and a check that it answers right. */
export type Contestant = {
  readonly name: string;
  readonly server: Server;
  /** For wrk. */
  readonly script: string;
  readonly check: () => Promise<void>;
};

/** A contestant that cannot be had here. The message says what is missing, and how to get it. */
export class Unobtainable extends Error {}

/** Those of some contestants that can be had, and why the others cannot. */
export async function obtain(
  starts: readonly (() => Promise<Contestant>)[],
): Promise<{ readonly contestants: readonly Contestant[]; readonly skipped: readonly string[] }> {
  const contestants: Contestant[] = [];
  const skipped: string[] = [];
  for (const start of starts) {
    try {
      contestants.push(await start());
    } catch (error) {
      if (!(error instanceof Unobtainable)) throw error;
      console.error(`\n*** SKIPPED: ${error.message} ***\n`);
      skipped.push(error.message);
    }
  }
  return { contestants, skipped };
}
