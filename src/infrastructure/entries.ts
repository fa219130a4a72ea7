/** A map of the YAML before validation. */
export type Entry = Record<string, unknown>;

/** Whether a value is a map. */
export const isEntry = (value: unknown): value is Entry =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Returns the map of a section, or an empty one. */
export function mapIn(raw: unknown, section: string): Entry {
  const value = isEntry(raw) ? raw[section] : undefined;
  return isEntry(value) ? value : {};
}

/** Returns the maps in the list of a section. An item that is no map becomes an empty one. */
export function listIn(raw: unknown, section: string): Entry[] {
  const value = isEntry(raw) ? raw[section] : undefined;
  return Array.isArray(value) ? value.map((entry) => (isEntry(entry) ? entry : {})) : [];
}
