import { z } from "zod";
import type { ChangeRecord } from "../domain/change.ts";

const recorded = {
  id: z.uuid(),
  by: z.string(),
  note: z.string().exactOptional(),
  at: z.int().nonnegative(),
  revision: z.object({ epoch: z.string().min(1), number: z.int().positive() }),
};

const features = z.array(z.string());

const changeRecord = z.discriminatedUnion("of", [
  z.object({
    ...recorded,
    of: z.literal("set"),
    key: z.string(),
    origin: z.enum(["change", "external", "baseline"]),
    added: features,
    removed: features,
    members: features.exactOptional(),
    size: z.int().nonnegative(),
  }),
  z.object({ ...recorded, of: z.literal("document"), collection: z.string(), name: z.string(), value: z.json() }),
  z.object({
    ...recorded,
    of: z.literal("token"),
    tokenId: z.string(),
    userId: z.string(),
    origin: z.enum(["issued", "revoked"]),
  }),
]);

/** The record that a store keeps as JSON; `undefined` where the text is none. */
export function storedRecord(text: string): ChangeRecord | undefined {
  try {
    return changeRecord.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
