const whole = new Intl.NumberFormat("en");
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

/** A count in full, such as 12,480. */
export const count = (value: number): string => whole.format(value);

/** A count in brief, such as 1.8 M. */
export const briefly = (value: number): string =>
  compact
    .format(value)
    .replace(/(?<=\d)([KMBT])$/, " $1")
    .replace("K", "k");

/** A count with its noun, such as "1 user" and "12,480 users". */
export const counted = (value: number, one: string, many = `${one}s`): string =>
  `${count(value)} ${value === 1 ? one : many}`;

/** Joins parts of a sentence: "a", "a and b", "a, b and c". */
export const joined = (parts: readonly string[]): string =>
  parts.length < 2 ? (parts[0] ?? "") : `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`;
