import { z } from "zod";

const fault = "is invalid (expected RFC 3339, for example 2026-11-17T09:00:00Z; in a query, encode + as %2B)";

/**
 * Schema of an instant: RFC 3339 text, parsed to milliseconds. A function, because OpenAPI can describe only schemas
 * that are created after the HTTP adapter has extended zod.
 */
export const instant = () => z.iso.datetime({ offset: true, error: fault }).transform((text) => Date.parse(text));
