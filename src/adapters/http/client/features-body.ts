import { hash } from "node:crypto";
import type { EvaluatedFeatures } from "../../../application/evaluation/evaluate-features.ts";
import { inOrder } from "../../../domain/evaluation/feature.ts";
import type { Flag } from "../../../domain/evaluation/flag.ts";
import type { WrittenBody } from "./prepared-response.ts";

/** Bodies of shared evaluations, by their features. */
const bodies = new WeakMap<EvaluatedFeatures["features"], WrittenBody>();

/** The body of `GET /features`: the seed's format, byte for byte. */
export function featuresBody({ features, isShared }: Pick<EvaluatedFeatures, "features" | "isShared">): WrittenBody {
  const known = bodies.get(features);
  if (known) return known;
  const keys = [...features.keys()];
  // The built-in order is that of code points if all is ASCII, as it mostly is.
  const written = writtenBody({ active_features: keys.sort() });
  const body = written.encoding === "latin1" ? written : writtenBody({ active_features: inOrder(keys) });
  // Collecting garbage takes long if each call adds to a WeakMap.
  if (isShared) bodies.set(features, body);
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
  };
}
