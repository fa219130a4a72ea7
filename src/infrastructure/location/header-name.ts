import { z } from "zod";

/** What HTTP itself, or Tidegate, goes by. */
const taken = [
  "accept",
  "authorization",
  "content-length",
  "cookie",
  "host",
  "if-none-match",
  "transfer-encoding",
  "x-request-id",
];

/** The name of a header that tells something of the caller. */
export const headerName = z
  .string()
  .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$/, "is no name of a header; write one as in CF-IPCountry")
  .refine((name) => !taken.includes(name.toLowerCase()), {
    error: ({ input }) => `${input} tells something else; name another header`,
  });
