import { InvalidContext } from "../errors.ts";
import { isValue, valueRule } from "./key-template.ts";

/** Maximum number of levels of a location name; `es/madrid` has two. */
export const maxLevels = 8;

/** The number of levels of a location name. */
export const levelsOf = (name: string): number => name.split("/").length;

/** Whether a text is a location name: 1 to 200 printable characters in at most 8 levels. */
export const isLocationName = (name: string): boolean => isValue(name) && levelsOf(name) <= maxLevels;

/**
 * The locations of a caller: the given names and their parents, each once, more levels first. Throws `InvalidContext`
 * for a name that is not 1 to 200 printable characters in at most 8 levels.
 */
export function locationsAt(names: readonly string[]): readonly string[] {
  const all = new Set<string>();
  for (const name of names) {
    if (!isValue(name)) {
      throw new InvalidContext(`Invalid location (expected ${valueRule}).`);
    }
    if (!name.includes("/")) {
      all.add(name);
      continue;
    }
    if (levelsOf(name) > maxLevels) {
      throw new InvalidContext(`Invalid location (expected at most ${maxLevels} levels, for example es/madrid).`);
    }
    all.add(name);
    for (let end = name.lastIndexOf("/"); end > 0; end = name.lastIndexOf("/", end - 1)) all.add(name.slice(0, end));
  }
  return all.size > 1 ? [...all].sort((one, other) => levelsOf(other) - levelsOf(one)) : [...all];
}
