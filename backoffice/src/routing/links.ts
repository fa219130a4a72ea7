import { linkTo, type QueryValues } from "./location.ts";

/** Path segment for a caller without a token. */
const anonymous = "-";

/**
 * The path segment of a feature key or user id. URLs have no segments `.` and `..`, also if they are encoded, and `-` is
 * a caller without a token: such ids, and those that begin with it, get the prefix `~`.
 */
const segmentOf = (id: string): string => (/^(-|\.\.?)$|^~/.test(id) ? `~${id}` : id);

/** The feature key or user id of a path segment. */
export const idOf = (segment: string): string => (segment.startsWith("~") ? segment.slice(1) : segment);

/** The path segment of a user; without an id, of a caller without a token. */
export const personSegment = (id: string | undefined): string => (id === undefined ? anonymous : segmentOf(id));

/** The user id of a path segment; `undefined` for a caller without a token. */
export const personOf = (segment: string): string | undefined => (segment === anonymous ? undefined : idOf(segment));

/** The links of the pages. */
export const links = {
  features: (query?: QueryValues) => linkTo(["features"], query),
  feature: (key: string, query?: QueryValues) => linkTo(["features", segmentOf(key)], query),
  people: () => linkTo(["people"]),
  person: (id: string | undefined, query?: QueryValues) => linkTo(["people", personSegment(id)], query),
  events: (query?: QueryValues) => linkTo(["events"], query),
  event: (position: number) => linkTo(["events", String(position)]),
  system: () => linkTo(["system"]),
};
