import { linkTo, type QueryValues } from "./location.ts";

/** Path segment for a caller without a token. */
export const anonymous = "-";

/** The links of the pages. */
export const links = {
  features: (query?: QueryValues) => linkTo(["features"], query),
  feature: (key: string, query?: QueryValues) => linkTo(["features", key], query),
  people: () => linkTo(["people"]),
  person: (id: string, query?: QueryValues) => linkTo(["people", id], query),
  events: (query?: QueryValues) => linkTo(["events"], query),
  system: () => linkTo(["system"]),
};
