/** An event of the log, as the stream sends it. */
export type LiveEvent = {
  readonly id: string;
  readonly position: number;
  readonly component: string;
  readonly message: string;
  readonly time: string;
  readonly recorded_by: string;
  readonly data: unknown;
  readonly key?: string;
};

/** The keys of the features that an event changes. */
export function featuresOf({ data }: LiveEvent): readonly string[] {
  const { type, added, removed, collection, name } = Object(data) as Readonly<Record<string, unknown>>;
  if (type === "set") return [added, removed].flatMap((keys) => (Array.isArray(keys) ? keys.map(String) : []));
  return type === "document" && typeof name === "string" && typeof collection === "string" ? [name] : [];
}
