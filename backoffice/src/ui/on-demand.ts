import { type FunctionComponent, type LazyExoticComponent, lazy } from "react";

/** The script of a component did not arrive: the service is out of reach, or it was updated and has other scripts. */
export class NotLoaded extends Error {
  constructor(cause: unknown) {
    super("A script of the page is not loaded", { cause });
  }
}

const loads = new Set<() => Promise<unknown>>();

/** A component whose script is loaded when it is first rendered, or by `loadRest`. Failures are `NotLoaded`. */
export function onDemand<Props>(
  load: () => Promise<{ readonly default: FunctionComponent<Props> }>,
): LazyExoticComponent<FunctionComponent<Props>> {
  loads.add(load);
  return lazy(() =>
    load().catch((cause) => {
      throw new NotLoaded(cause);
    }),
  );
}

/** Loads all scripts, so that every part of the page opens while the service is away. One that fails is left out. */
export async function loadRest(): Promise<void> {
  // A script may bring further components that are loaded on demand.
  for (const load of loads) await load().catch(() => undefined);
}
