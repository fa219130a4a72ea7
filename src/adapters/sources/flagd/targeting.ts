import type { ContextField } from "../../../domain/evaluation/evaluation-context.ts";
import type { Json } from "../../../domain/evaluation/feature.ts";

export type JsonMap = { readonly [name: string]: Json };

export const isMap = (value: unknown): value is JsonMap =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * Context names of the current second: flagd's and ours. flagd's library always sets its own to the present, even when
 * a past instant is evaluated.
 */
const flagdClock = "$flagd.timestamp";
const ourClock = "$tidegate";

/** The context entry for targeting that `withClock` has rewritten. */
export const clockAt = (second: number): JsonMap => ({ [ourClock]: { timestamp: second } });

/** Rewrites a targeting rule to read our clock instead of flagd's. */
export function withClock(rule: Json): Json {
  if (Array.isArray(rule)) return rule.map(withClock);
  if (!isMap(rule)) return rule;
  return mapped(rule, (operands, operation) => {
    if (operation !== "var") return withClock(operands);
    const [name, ...fallback] = listOf(operands);
    return name === flagdClock ? [`${ourClock}.timestamp`, ...fallback] : withClock(operands);
  });
}

/** The dependencies of results. */
export type Read = {
  /** The context fields; `undefined` if any field can matter. */
  readonly fields: readonly ContextField[] | undefined;
  readonly clock: boolean;
};

/** The fields and the clock that a targeting rule reads. If they cannot be determined, any field and the clock. */
export function whatIsRead(rule: Json): Read {
  const names = namesIn(rule);
  const fields = new Set(names.filter((name) => !name.startsWith("$flagd.")).map(fieldOf));
  const isClear = !fields.has(undefined);
  return {
    fields: isClear ? [...fields].filter((field) => field !== undefined) : undefined,
    clock: !isClear || names.includes(flagdClock),
  };
}

/** Operations whose context names are not analysed. */
const unclear = ["val", "exists", "missing", "missing_some"];

/** Names that a rule reads; includes an empty name if that cannot be determined. */
function namesIn(rule: Json): readonly string[] {
  if (Array.isArray(rule)) return rule.flatMap(namesIn);
  if (!isMap(rule)) return [];
  return Object.entries(rule).flatMap(([operation, operands]) => {
    const inner = namesIn(operands);
    if (unclear.includes(operation)) return ["", ...inner];
    if (operation === "fractional") return ["targetingKey", ...inner];
    if (operation !== "var") return inner;
    const [name] = listOf(operands);
    return [typeof name === "string" ? name : "", ...inner];
  });
}

const ownFields: Readonly<Record<string, ContextField>> = {
  targetingKey: "targetingKey",
  userId: "userId",
  location: "locations",
  locations: "locations",
  ip: "ip",
};

/** The context field of a variable: the one that its first part names. */
function fieldOf(name: string): ContextField | undefined {
  const first = /^[A-Za-z_][\w-]*(?=\.|$)/.exec(name)?.[0];
  if (first === undefined) return undefined;
  return Object.hasOwn(ownFields, first) ? ownFields[first] : `attributes.${first}`;
}

const listOf = (operands: Json): readonly Json[] => (Array.isArray(operands) ? operands : [operands]);

export const mapped = (map: JsonMap, change: (value: Json, name: string) => Json): JsonMap =>
  Object.fromEntries(Object.entries(map).map(([name, value]) => [name, change(value, name)]));
