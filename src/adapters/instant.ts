import { z } from "zod";

const fault = "is no instant; send one of RFC 3339, as in 2026-11-17T09:00:00Z (in a query, + is written %2B)";

/** An instant as text (RFC 3339), read to the millisecond. Made anew for each, as only schemas made after HTTP's own can be described. */
export const instant = () => z.iso.datetime({ offset: true, error: fault }).transform((text) => Date.parse(text));
