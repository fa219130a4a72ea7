import type { Json } from "../../../domain/evaluation/feature.ts";
import { isMap } from "./targeting.ts";

const states: readonly unknown[] = ["ENABLED", "DISABLED"];
const members = ["state", "variants", "defaultVariant", "targeting", "metadata"];

/** Why flagd's library cannot use a flag, for which it would reject the whole document; `undefined` if it can. */
export function structuralFault(flag: Json): string | undefined {
  if (!isMap(flag)) return "not a map";
  const { state, variants, defaultVariant } = flag;
  if (!states.includes(state)) return `state ${excerpt(state)} is invalid (expected ENABLED or DISABLED)`;
  if (!isMap(variants) || Object.keys(variants).length === 0) {
    return "variants is missing or empty (expected a map, as in { on: true, off: false })";
  }
  // flagd treats all of these as absent.
  if (defaultVariant === undefined || defaultVariant === null || defaultVariant === "") return undefined;
  if (typeof defaultVariant === "string" && Object.hasOwn(variants, defaultVariant)) return undefined;
  return `defaultVariant ${excerpt(defaultVariant)} is not one of its variants (${Object.keys(variants).join(", ")})`;
}

export type Misspelling = { readonly name: string; readonly suggestion: string };

/** Members that flagd ignores, although their names resemble the names of its own members. */
export function misspellings(flag: Json): readonly Misspelling[] {
  if (!isMap(flag)) return [];
  return Object.keys(flag).flatMap((name) => {
    if (members.includes(name)) return [];
    const suggestion = members.find((member) => name.toLowerCase().startsWith(member.toLowerCase().slice(0, 5)));
    return suggestion ? [{ name, suggestion }] : [];
  });
}

function excerpt(value: Json | undefined): string {
  const text = JSON.stringify(value) ?? "(missing)";
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
