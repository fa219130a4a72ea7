import type { PollState } from "./item.ts";
import type { Timeline } from "./timeline.ts";

/** What a source has of a partner's items, and of how they are read. */
export interface ProvidedItems {
  /** Grows with each change of what is known. */
  readonly generation: number;
  /** What is known, as of some seconds ago; read from the store where that was not done yet. Rejects where it cannot be. */
  known(): Timeline | Promise<Timeline>;
  /** How reading does, as far as is known here; `undefined` where nobody has tried. */
  readonly state: PollState | undefined;
  /** How many are known; 0 before they were read from the store. */
  readonly size: number;
  /** Reads the partner's document now, also where another process just has. Where one reads here already, its outcome is told. Rejects where the store does not answer. */
  poll(): Promise<PollState>;
}
