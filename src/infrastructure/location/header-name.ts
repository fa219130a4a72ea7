import { z } from "zod";

/** Headers that HTTP itself or Tidegate uses. */
const reservedHeaders = [
  "accept",
  "authorization",
  "content-length",
  "cookie",
  "host",
  "if-none-match",
  "transfer-encoding",
  "x-request-id",
];

/** Name of a header that describes the client. */
export const headerName = z
  .string()
  .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$/, "invalid header name (expected for example CF-IPCountry)")
  .refine((name) => !reservedHeaders.includes(name.toLowerCase()), {
    error: ({ input }) => `${input} has another meaning (choose another header)`,
  });
