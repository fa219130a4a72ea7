import { createElement, type FunctionComponent, useEffect, useState } from "react";

/** The script of a component did not arrive: the service is out of reach, or it was updated and has other scripts. */
export class NotLoaded extends Error {
  constructor(cause: unknown) {
    super("A script of the page is not loaded", { cause });
  }
}

type Load = () => Promise<void>;
/** A component that can be loaded before it is rendered. */
export type OnDemand<Props> = FunctionComponent<Props> & { readonly load: Load };

const loads = new Set<Load>();

/**
 * A component whose script is loaded when it is first rendered, by `load`, or by `loadRest`. Once it is loaded, it is
 * rendered at once; until then `Fallback` is. A script that fails to load throws `NotLoaded` into the nearest error
 * boundary.
 *
 * It is not React's `lazy`, because `Suspense` shows a fallback for at least 300 ms, even if the script is there
 * after 5 ms.
 */
export function onDemand<Props extends object>(
  importPart: () => Promise<{ readonly default: FunctionComponent<Props> }>,
  Fallback: FunctionComponent = () => null,
): OnDemand<Props> {
  let loaded: FunctionComponent<Props> | undefined;
  const load = async () => {
    loaded = (await importPart()).default;
  };
  loads.add(load);
  function Part(props: Props) {
    const [Loaded, setLoaded] = useState(() => loaded);
    const [failure, setFailure] = useState<NotLoaded>();
    useEffect(() => {
      if (Loaded) return;
      load().then(
        () => setLoaded(() => loaded),
        (cause) => setFailure(new NotLoaded(cause)),
      );
    }, [Loaded]);
    if (failure) throw failure;
    return Loaded ? createElement(Loaded, props) : <Fallback />;
  }
  return Object.assign(Part, { load });
}

/** Loads all scripts, so that every part of the page opens while the service is away. One that fails is left out. */
export async function loadRest(): Promise<void> {
  // A script may bring further components that are loaded on demand.
  for (const load of loads) await load().catch(() => undefined);
}
