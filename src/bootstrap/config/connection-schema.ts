import { z } from "zod";

/** A name of a connection or source. */
export const name = z
  .string()
  .regex(
    /^[A-Za-z][A-Za-z0-9_-]{0,63}$/,
    "invalid name (expected up to 64 letters, digits, _ and -, starting with a letter)",
  );

const invalidRedisUrl = "invalid Redis URL (expected redis://host:port/database, or rediss:// for TLS)";

function isUrl(text: string): boolean {
  try {
    const { username, password, pathname, search } = new URL(text);
    decodeURIComponent(username + password);
    return /^(\/\d{0,5})?$/.test(pathname) && search === "";
  } catch {
    return false;
  }
}

const invalidPostgresUrl = "invalid PostgreSQL URL (expected postgres://user:password@host:port/database)";

/** URL of a PostgreSQL database. */
export const postgresUrl = z
  .string()
  .regex(/^postgres(ql)?:\/\/[^\s]+$/, invalidPostgresUrl)
  .refine((text) => URL.canParse(text), invalidPostgresUrl);

/** One entry of `connections`. */
export const connection = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("redis"),
    url: z
      .string()
      .regex(/^rediss?:\/\/[^\s]+$/, invalidRedisUrl)
      .refine(isUrl, invalidRedisUrl)
      .describe("`redis://[user:password@]host:port/database`, or `rediss://` for TLS."),
  }),
  z.strictObject({
    kind: z.literal("sqlite"),
    file: z.string().min(1).describe("The database file, created with its folder if missing."),
  }),
  z.strictObject({
    kind: z.literal("postgres"),
    url: postgresUrl.describe(
      "`postgres://user:password@host:port/database`. Only for the connection `events`, the event log. DATABASE_URL takes precedence.",
    ),
  }),
]);
