import type { z } from "zod";
import type { ValueFault } from "../domain/errors.ts";

/** Converts a schema issue into faults that include the fix. */
export function faultOf(issue: z.core.$ZodIssue, value: unknown): readonly ValueFault[] {
  const pointer = pointerTo(issue.path);
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => ({
        pointer: pointerTo([...issue.path, key]),
        detail: "is unknown; omit it",
      }));
    case "invalid_type":
      return [
        {
          pointer,
          detail: isMissing(value, issue.path) ? "is missing" : `is invalid (expected ${nameOf(issue.expected)})`,
        },
      ];
    case "invalid_value":
      return [{ pointer, detail: `is invalid (expected ${issue.values.join(", ")})` }];
    case "too_small":
      return [{ pointer, detail: `is too small (minimum: ${issue.minimum}${unitOf(issue.origin)})` }];
    case "too_big":
      return [{ pointer, detail: `is too large (maximum: ${issue.maximum}${unitOf(issue.origin)})` }];
    default:
      return [{ pointer, detail: issue.message }];
  }
}

const nameOf = (type: string): string => (type === "record" ? "object" : type);

const unitOf = (origin: string): string =>
  origin === "string" ? " characters" : origin === "array" || origin === "set" ? " items" : "";

const isMissing = (value: unknown, path: readonly PropertyKey[]): boolean =>
  path.reduce<unknown>((inner, step) => (inner as Record<PropertyKey, unknown> | undefined)?.[step], value) ===
  undefined;

const pointerTo = (path: readonly PropertyKey[]): string => path.map(pointerStep).join("");

/** A step of a JSON pointer (RFC 6901). */
export const pointerStep = (name: PropertyKey): string =>
  `/${String(name).replaceAll("~", "~0").replaceAll("/", "~1")}`;
