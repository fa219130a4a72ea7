/** A figure beside what was asked for, in words. */
export type Row = { readonly asked: string; readonly reached: string; readonly isReached: boolean };
