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
  /** The sets with their added members. */
  sets: z.array(z.tuple([z.string(), z.array(z.string())])).default([]),
  /** The users of the tokens. */
  users: z.array(z.string()).default([]),
});

/**
 * Load entry: the outbox entry for sets or tokens that were created together by a load. It begins with the time of the
 * load and the number of records, so that the first {@link headLength} characters contain both.
 */
type LoadEntry = z.output<typeof loadEntry>;

export const headLength = 64;
const head = /^\{"at":(\d+),"size":(\d+),/;

/** The middle of an entry: follows `{"at":` and the time of the load, and precedes `,"sets":` or `,"users":`. */
export const entryMiddle = (size: number, shared: Pick<LoadEntry, "epoch" | "by" | "email" | "note">): string =>
  `,"size":${size},${JSON.stringify(shared).slice(1, -1)}`;

/** Parses the beginning of an entry. `undefined` if invalid. */
export function headOf(text: string): { readonly at: Instant; readonly size: number } | undefined {
  const [, at, size] = head.exec(text) ?? [];
  return at && size ? { at: Number(at), size: Number(size) } : undefined;
}

/** The records of an entry. Deterministic. `undefined` if the entry is invalid. */
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

/** Epoch shared by up to 4096 items: a UUIDv7 with room for their index at its end. */
export const newEpoch = (): string => `${newId().slice(0, -3)}000`;

/** Record id of the item with an index: also a UUIDv7. */
export const idOf = (epoch: string, index: number): string => epoch.slice(0, -3) + index.toString(16).padStart(3, "0");

/** The epoch of the load that directly precedes a record, if the item was loaded. */
export function loadEpochBefore(record: ChangeRecord): string | undefined {
  if (record.of === "set" && record.revision.number === 2) return record.revision.epoch;
  if (record.of === "token" && record.origin === "revoked") return `${record.tokenId.slice(0, -3)}000`;
  return undefined;
}
