import { z } from "zod";
import type { SetRecord } from "../../domain/change.ts";
import type { Instant } from "../../domain/evaluation-context.ts";
import type { FeatureKey } from "../../domain/feature.ts";

/**
 * The records of sets that were not there and were loaded together, as one entry of the outbox. It begins with when they were
 * loaded and how many they are, so that this can be told without reading more than {@link headLength} characters.
 */
const loadEntry = z.object({
  at: z.int(),
  size: z.int(),
  epoch: z.uuid(),
  by: z.string(),
  note: z.string().exactOptional(),
  sets: z.array(z.tuple([z.string(), z.array(z.string())])),
});

/** What an entry holds but for when it was made, which the store tells. */
export type LoadEntry = Omit<z.output<typeof loadEntry>, "at" | "size">;

export const headLength = 64;
const head = /^\{"at":(\d+),"size":(\d+),/;

/** An entry as JSON, but for its beginning, {@link entryBeginning}, and the instant that comes after that. */
export const entryEnd = (entry: LoadEntry): string =>
  `,"size":${entry.sets.length},${JSON.stringify(entry satisfies LoadEntry).slice(1)}`;
export const entryBeginning = '{"at":';

/** What the beginning of an entry tells; `undefined` where it is none. */
export function headOf(text: string): { readonly at: Instant; readonly size: number } | undefined {
  const [, at, size] = head.exec(text) ?? [];
  return at && size ? { at: Number(at), size: Number(size) } : undefined;
}

/** The records that an entry stands for, always the same; `undefined` where it is none. */
export function loadedRecordsIn(text: string): readonly SetRecord[] | undefined {
  const entry = parsed(text);
  if (!entry) return undefined;
  const { at, epoch, by, note, sets } = entry;
  return sets.map(([key, features], index): SetRecord => {
    const what: { added: readonly FeatureKey[]; members: readonly FeatureKey[] } = {
      added: features,
      members: features,
    };
    return {
      of: "set",
      id: idOf(epoch, index),
      by,
      ...(note !== undefined && { note }),
      at,
      revision: { epoch, number: 1 },
      key,
      origin: "change",
      removed: [],
      ...what,
      size: features.length,
    };
  });
}

function parsed(text: string) {
  try {
    return loadEntry.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** One of the UUIDs that count on from an epoch's: its last 48 bits are random, so no other epoch's come near. */
function idOf(epoch: string, index: number): string {
  const end = (Number.parseInt(epoch.slice(-12), 16) + index) % 2 ** 48;
  return epoch.slice(0, -12) + end.toString(16).padStart(12, "0");
}
