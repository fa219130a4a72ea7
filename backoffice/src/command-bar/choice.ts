import type { ReactNode } from "react";

/** A line of the command bar: what it is, and what Enter does. */
export type Choice = {
  readonly id: string;
  readonly icon: ReactNode;
  readonly name: string;
  /** What it belongs to, or what follows. */
  readonly hint?: string;
  readonly run: () => void;
};
