import { useEffect, useRef } from "react";

/**
 * Layers over the page, such as dialogs. While one is open, the history has one more entry with the same address, so that
 * the browser's Back closes the layer on top, and does not leave the page.
 */
const layers: (() => void)[] = [];

/** What is done once that entry is left; `undefined` while it is not being left. */
let afterLeaving: (() => void)[] | undefined;

/** Whether the present entry is that of layers. The next page takes its place. */
export const isAtLayer = (): boolean => Object(history.state).isLayer === true;

/** Opens a layer while the component is mounted. Back calls `onBack`, which may keep it open. */
export function useLayer(onBack: (() => void) | undefined): void {
  const latest = useRef(onBack);
  latest.current = onBack;
  const isClosable = onBack !== undefined;
  useEffect(() => {
    if (!isClosable) return undefined;
    const close = () => latest.current?.();
    layers.push(close);
    setTimeout(settle);
    return () => {
      layers.splice(layers.indexOf(close), 1);
      // The next layer may open at the same time.
      setTimeout(settle);
    };
  }, [isClosable]);
}

/** Runs a navigation; if the entry of layers is being left, afterwards, since the browser would go back from it. */
export function afterLayers(navigation: () => void): void {
  if (afterLeaving) afterLeaving.push(navigation);
  else navigation();
}

/** Adds the entry if a layer is open; leaves it if none is, with the address that the page has now. */
function settle(): void {
  if (afterLeaving) return;
  if (layers.length > 0 && !isAtLayer()) history.pushState({ isLayer: true }, "");
  if (layers.length > 0 || !isAtLayer()) return;
  const link = location.href;
  afterLeaving = [() => history.replaceState(null, "", link)];
  history.back();
}

// Before the pages read the address.
addEventListener(
  "popstate",
  () => {
    const waiting = afterLeaving;
    afterLeaving = undefined;
    if (waiting) for (const run of waiting) run();
    else layers.at(-1)?.();
    setTimeout(settle);
  },
  { capture: true },
);
