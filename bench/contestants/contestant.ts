import type { Server } from "../process.ts";

/** A measured server, the requests to it, and a check of its responses. */
export type Contestant = {
  readonly name: string;
  readonly server: Server;
  /** For wrk. */
  readonly script: string;
  readonly check: () => Promise<void>;
  /** Whether the right response is an error, as for an unknown token. */
  readonly isRejected?: boolean;
};

/** A contestant that cannot run here. The message names what is missing, and how to get it. */
export class Unobtainable extends Error {}

/** The contestants that can run, and why the others cannot. */
export async function obtain<T>(
  starts: readonly (() => Promise<T>)[],
): Promise<{ readonly contestants: readonly T[]; readonly skipped: readonly string[] }> {
  const contestants: T[] = [];
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
