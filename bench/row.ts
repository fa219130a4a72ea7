/** A target and its result, in words. The reason is stated only if the target is missed. */
export type Row = {
  readonly asked: string;
  readonly reached: string;
  readonly isReached: boolean;
  readonly reason?: string;
};
