import { hash } from "node:crypto";
import type { EvaluatedFeatures } from "../../../application/evaluation/evaluate-features.ts";
import { inOrder } from "../../../domain/evaluation/feature.ts";
import type { Flag } from "../../../domain/evaluation/flag.ts";
import type { WrittenBody } from "./prepared-response.ts";

/** The body of `GET /features`: the format of the service that Tidegate replaces, byte for byte. */
export function featuresBody({ features, bodySlot }: Pick<EvaluatedFeatures, "features" | "bodySlot">): WrittenBody {
  if (bodySlot?.body) return bodySlot.body as WrittenBody;
  const keys = [...features.keys()];
  // The built-in order is that of code points if all is ASCII, as it mostly is.
  const ascii = writtenBody({ active_features: keys.sort() });
  const body = ascii.encoding === "latin1" ? ascii : writtenBody({ active_features: inOrder(keys) });
  if (bodySlot) bodySlot.body = body;
  return body;
}

/** The body of `GET /features?detail=true`: also each known feature, on or off, sorted by code point. */
export const detailedBody = (flags: readonly Flag[]): WrittenBody =>
  writtenBody({
    active_features: flags.flatMap(({ key, on }) => (on ? [key] : [])),
    features: flags.map(({ metadata: _, ...flag }) => flag),
  });

/** Serializes a JSON body. */
export const writtenBody = (value: object): WrittenBody => writtenText(JSON.stringify(value));

/** A body with its ETag: a digest of the body, so it is the same on all instances. */
export function writtenText(body: string): WrittenBody {
  const length = Buffer.byteLength(body);
  return {
    body,
    length: `${length}`,
    entityTag: `"${hash("sha256", body, "base64url")}"`,
    encoding: length === body.length ? "latin1" : "utf8",
    frame: undefined,
  };
}
