/** A target and its result, in words. */
export type Row = { readonly asked: string; readonly reached: string; readonly isReached: boolean };
