/** A map of the YAML before it is checked. */
export type Entry = Record<string, unknown>;

/** Whether a value is a map. */
export const isEntry = (value: unknown): value is Entry =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The map in a section; empty where there is none. */
export function mapIn(raw: unknown, section: string): Entry {
  const value = isEntry(raw) ? raw[section] : undefined;
  return isEntry(value) ? value : {};
}

/** The maps in the list of a section; an empty one for each item that is none. */
export function listIn(raw: unknown, section: string): Entry[] {
  const value = isEntry(raw) ? raw[section] : undefined;
  return Array.isArray(value) ? value.map((entry) => (isEntry(entry) ? entry : {})) : [];
}
