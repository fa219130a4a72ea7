import { queryOptions, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { bodyOf, v1 } from "./client.ts";

const sourcesQuery = queryOptions({
  queryKey: ["sources"],
  queryFn: async () => (await bodyOf(v1.sources.$get())).sources,
  staleTime: 300_000,
});

export type Source = Awaited<ReturnType<NonNullable<typeof sourcesQuery.queryFn>>>[number];

/** The configured sources, in the order of the configuration. `undefined` until they are known. */
export const useSources = (): readonly Source[] | undefined => useQuery(sourcesQuery).data;

/** The configured sources by name; empty until they are known. */
export function useSourcesByName(): ReadonlyMap<string, Source> {
  const sources = useSources();
  return useMemo(() => new Map(sources?.map((source) => [source.name, source])), [sources]);
}

/** The source whose set switches a feature on for everyone: the first ungated grant with one set. */
export const everyoneSourceOf = (sources: readonly Source[]): Source | undefined =>
  sources.find(
    ({ role, changeable, key, fields, gatedBy }) =>
      role === "grant" && changeable && key !== null && fields.length === 0 && gatedBy.length === 0,
  );

/** Which tab of a feature lists those who have it in a set of their own in a grant; `undefined` if it has no such sets. */
export function holdersTabOf({ role, fields }: Source): "users" | "locations" | undefined {
  if (role !== "grant") return undefined;
  if (fields.includes("location")) return "locations";
  return fields.includes("userId") ? "users" : undefined;
}

/** Whether a source is a gate with one set, which opens it for the features in it. */
export const isSwitchedGate = ({ role, changeable, fields }: Source): boolean =>
  role === "gate" && changeable && fields.length === 0;

/** The source whose set switches features off for everyone: the kill switch. */
export const killSwitchOf = (sources: readonly Source[]): Source | undefined =>
  sources.find(
    ({ role, changeable, key, fields }) => role === "veto" && changeable && key !== null && fields.length === 0,
  );
