/** Makes a task run in rounds: a call during a round shares the next one with other such calls. */
export function inRounds(task: () => Promise<void>): () => Promise<void> {
  let present: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  const begin = () => {
    next = undefined;
    const round = task().finally(() => {
      if (present === round) present = undefined;
    });
    present = round;
    return round;
  };
  return () => {
    if (!present) return begin();
    next ??= present.catch(() => {}).then(begin);
    return next;
  };
}
