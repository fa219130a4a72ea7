import { z } from "zod";
import { type ChangeRecord, changeOrigins } from "../../domain/admin/change.ts";
import type { Json } from "../../domain/evaluation/feature.ts";

const recorded = {
  id: z.uuid(),
  by: z.string(),
  email: z.string().exactOptional(),
  note: z.string().exactOptional(),
  reverts: z.string().exactOptional(),
  batch: z.string().exactOptional(),
  via: z.literal("page").exactOptional(),
  at: z.int(),
  revision: z.object({ epoch: z.string(), number: z.int() }),
};
const features = z.array(z.string());

const changeRecord = z.discriminatedUnion("of", [
  z.object({
    ...recorded,
    of: z.literal("set"),
    key: z.string(),
    origin: z.enum(changeOrigins),
    added: features,
    removed: features,
    members: features.exactOptional(),
    size: z.int(),
  }),
  z.object({
    ...recorded,
    of: z.literal("document"),
    collection: z.string(),
    name: z.string(),
    value: z.json() as z.ZodType<Json>,
  }),
  z.object({
    ...recorded,
    of: z.literal("token"),
    tokenId: z.string(),
    userId: z.string(),
    origin: z.enum(["issued", "revoked"]),
  }),
]) satisfies z.ZodType<ChangeRecord>;

/** Parses a change record from JSON. `undefined` if invalid. */
export function changeRecordIn(text: string): ChangeRecord | undefined {
  try {
    return changeRecord.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
