const underWay = new Map<string, Promise<void>>();

/**
 * Begins an act, unless the act of this name is under way, as after the first click of two: then it is that one. An act
 * is under way until the page shows its result.
 */
export function once(name: string, act: () => Promise<void>): Promise<void> {
  const first = underWay.get(name);
  if (first) return first;
  const begun = act();
  underWay.set(name, begun);
  // Results are rendered by tasks that are queued by now.
  const end = () => setTimeout(() => underWay.delete(name));
  begun.then(end, end);
  return begun;
}
