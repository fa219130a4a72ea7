import { v7 as newId } from "uuid";
import { z } from "zod";
import type { ChangeRecord, SetRecord, TokenRecord } from "../../../domain/admin/change.ts";
import type { Instant } from "../../../domain/evaluation/evaluation-context.ts";

const loadEntry = z.object({
  at: z.int(),
  size: z.int(),
  epoch: z.uuid(),
  by: z.string(),
  email: z.string().exactOptional(),
  note: z.string().exactOptional(),
  /** Sets with all that they were given. */
  sets: z.array(z.tuple([z.string(), z.array(z.string())])).default([]),
  /** The users that tokens were issued for. */
  users: z.array(z.string()).default([]),
});

/**
 * The records of sets or tokens that were not there before and were loaded together, as one entry of the outbox. It begins with when they were
 * loaded and how many they are, so that this can be told by its first {@link headLength} characters.
 */
type LoadEntry = z.output<typeof loadEntry>;

export const headLength = 64;
const head = /^\{"at":(\d+),"size":(\d+),/;

/** An entry as JSON: what comes before the instant of the load, which the store tells, and what comes after it. */
export const entryBeginning = '{"at":';
export const entryEnd = (size: number, entry: Omit<z.input<typeof loadEntry>, "at" | "size">): string =>
  `,"size":${size},${JSON.stringify(entry).slice(1)}`;

/** What the beginning of an entry tells; `undefined` where it is none. */
export function headOf(text: string): { readonly at: Instant; readonly size: number } | undefined {
  const [, at, size] = head.exec(text) ?? [];
  return at && size ? { at: Number(at), size: Number(size) } : undefined;
}

/** The records that an entry stands for, always the same; `undefined` where it is none. */
export function loadedRecordsIn(text: string): readonly ChangeRecord[] | undefined {
  const entry = parsed(text);
  return entry && [...setRecords(entry), ...tokenRecords(entry)];
}

function parsed(text: string): LoadEntry | undefined {
  try {
    return loadEntry.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

const setRecords = ({ size: _, sets, users: __, epoch, ...author }: LoadEntry): readonly SetRecord[] =>
  sets.map(([key, features], index) => ({
    of: "set",
    ...author,
    id: idOf(epoch, index),
    revision: { epoch, number: 1 },
    key,
    origin: "change",
    added: features,
    removed: [],
    members: features,
    size: features.length,
  }));

const tokenRecords = ({ size: _, sets: __, users, epoch, ...author }: LoadEntry): readonly TokenRecord[] =>
  users.map((userId, index) => {
    const id = idOf(epoch, index);
    return { of: "token", ...author, id, revision: { epoch: id, number: 1 }, tokenId: id, userId, origin: "issued" };
  });

/** The epoch that some things begin together, up to 4096 of them: a UUIDv7 that has room at its end for their numbers. */
export const newEpoch = (): string => `${newId().slice(0, -3)}000`;

/** The id of the record of the thing of a number: a UUIDv7 too. */
export const idOf = (epoch: string, index: number): string => epoch.slice(0, -3) + index.toString(16).padStart(3, "0");

/** The epoch of the load that a record comes right after, if what it is of was loaded. */
export function loadEpochBefore(record: ChangeRecord): string | undefined {
  if (record.of === "set" && record.revision.number === 2) return record.revision.epoch;
  if (record.of === "token" && record.origin === "revoked") return `${record.tokenId.slice(0, -3)}000`;
  return undefined;
}
