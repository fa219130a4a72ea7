import { z } from "zod";
import { context } from "../../adapters/http/client/context-options.ts";
import { roles } from "../../domain/evaluation/source.ts";
import { locators } from "../../infrastructure/location/locator-options.ts";
import { timeZone } from "../../infrastructure/time-zone.ts";

const name = z
  .string()
  .regex(
    /^[A-Za-z][A-Za-z0-9_-]{0,63}$/,
    "invalid name (expected up to 64 letters, digits, _ and -, starting with a letter)",
  );

/** An integer, also as text from a filled-in variable. */
const integer = (least: number, most: number) =>
  z.preprocess(
    (value) => (typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value),
    z.int().min(least).max(most),
  );

/** A boolean, also as text from a filled-in variable. */
const flag = z.preprocess((value) => (value === "true" ? true : value === "false" ? false : value), z.boolean());

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
    file: z.string().min(1).describe("The database file; made with its folder where it is missing."),
  }),
  z.strictObject({
    kind: z.literal("postgres"),
    url: postgresUrl.describe(
      "`postgres://user:password@host:port/database`. Only of the connection `events`, over which the event log is kept. The environment's DATABASE_URL wins.",
    ),
  }),
]);

/** The section `tokens`. */
export const tokens = z.strictObject({
  connection: name.describe("The connection that knows the tokens."),
  layout: z
    .enum(["plain", "hashed"])
    .default("plain")
    .describe(
      "`plain`: the key holds the token as it is. `hashed`: it holds base64url(HMAC-SHA-256(pepper, token)), the pepper from TIDEGATE_TOKEN_PEPPER or else from `pepperFile`.",
    ),
  key: z
    .string()
    .regex(
      /^[^{}]+:\{token\}$/,
      "invalid token key (expected a literal, a colon and {token}, for example token:{token})",
    )
    .optional()
    .describe("The key of a token's user. By default `token:{token}`, and `tokenh:{token}` where tokens are hashed."),
  pepperFile: z
    .string()
    .min(1)
    .optional()
    .describe("Holds the pepper where TIDEGATE_TOKEN_PEPPER is not set; made with a random one where it is missing."),
});

/** The section `server`. */
export const server = z.strictObject({
  host: z.string().min(1).default("127.0.0.1").describe("The address to listen on. The environment's HOST wins."),
  port: integer(0, 65_535).default(5000).describe("The environment's PORT wins."),
  workers: z
    .union([z.literal("auto"), integer(1, 512)])
    .default(1)
    .describe("How many processes serve; `auto` is one per core. The environment's WEB_CONCURRENCY wins."),
  basePath: z
    .string()
    .regex(
      /^(\/(?!\.{1,2}(\/|$))[\w.~-]+)*$/,
      "invalid base path (expected for example /api, without a trailing slash)",
    )
    .default("")
    .describe("What precedes each path, as in `/api`. Other paths are answered 404."),
  timeZone: z
    .string()
    .default("UTC")
    .transform((text, context) => {
      const zone = timeZone(text);
      if (zone) return zone;
      context.addIssue("invalid time zone (expected for example Europe/Madrid)");
      return z.NEVER;
    })
    .describe("The zone of dates and times without an offset in queries of `/events` and `/search`."),
  drainMs: integer(0, 60_000)
    .default(500)
    .describe(
      "After SIGTERM, how long it goes on answering while it tells balancers that it is going, in milliseconds.",
    ),
  limits: z
    .strictObject({
      connections: integer(1, 1_000_000).optional().describe("The most open connections. Left out, there is no limit."),
      inFlight: integer(1, 1_000_000)
        .optional()
        .describe("The most requests in flight, open event streams included. Left out, there is no limit."),
    })
    .optional()
    .describe(
      "Limits of each worker process. A request beyond one is answered 503 with `Retry-After`, before it is processed. Health checks and `/admin/v1/killed` are never refused. Left out, there are none.",
    ),
  proxy: z
    .array(
      z
        .preprocess(
          (entry) => (typeof entry === "string" ? { prefix: entry } : entry),
          z.strictObject({
            prefix: z
              .string()
              .refine((text) => text !== "", "empty prefix (expected the start of the keys)")
              .describe("What the keys begin with. It must not overlap with the keys of tokens or of Tidegate."),
            connection: name
              .optional()
              .describe("The connection that has the keys. Left out, the only one of the configuration."),
          }),
        )
        .meta({ type: ["string", "object"] }),
    )
    .default([])
    .describe(
      "The keys that operators read with `GET /proxy?key=`: a prefix each, or a map of `prefix` and `connection`.",
    ),
  cors: z
    .strictObject({
      origins: z
        .array(z.string().regex(/^(\*|https?:\/\/[^/\s]+)$/, "invalid origin (expected https://app.example, or *)"))
        .min(1)
        .describe("The web origins whose pages may ask, as in https://app.example; `*` is all."),
    })
    .optional()
    .describe("Left out, no other origin may ask."),
});

/** The section `compatibility`. */
export const compatibility = z.strictObject({
  activityService: flag
    .default(false)
    .describe(
      "For clients of the activity service: `GET /heath` exists, and an event may lack `email` and have any JSON value as `data`.",
    ),
});

/** The section `log`. */
export const log = z.strictObject({
  level: z
    .enum(["trace", "debug", "info", "warn", "error", "silent"])
    .default("info")
    .describe("The environment's LOG_LEVEL wins."),
  requests: flag.default(false).describe("Writes a line for each request."),
});

/** The options that every source has. */
export const commonOptions = z.strictObject({
  name: name.describe("What the source is called in logs and errors."),
  kind: z.string(),
  role: z
    .enum(roles)
    .default("grant")
    .describe("`grant` switches on, a `gate` lets grants through, a `veto` switches off whatever anybody granted."),
  gatedBy: z.array(z.string()).default([]).describe("The gates that must let a grant's features through."),
  default: z
    .enum(["allow", "deny"])
    .optional()
    .describe("For gates: the result for features that the gate does not list. Default: `deny`."),
  onFailure: z
    .enum(["fail", "skip"])
    .default("fail")
    .describe("`fail`: no answer without this source. `skip`: it is left out, and the answer says so."),
  timeoutMs: integer(1, 10_000)
    .default(250)
    .describe(
      "How long the source may take to answer, in milliseconds. A store that hangs is given up after 200; with less than that, what is remembered of it is not used.",
    ),
});

/** The section `cache`. */
export const cache = z.strictObject({
  capacity: z.coerce
    .number()
    .int()
    .min(1)
    .max(10_000_000)
    .default(100_000)
    .describe("The most keys of a store that are remembered. The environment's CACHE_CAPACITY wins."),
  expirySeconds: z.coerce
    .number()
    .min(1)
    .max(86_400)
    .default(600)
    .describe(
      "After how long a key is read again although it did not change. The environment's GLOBAL_CACHE_EXPIRY wins.",
    ),
  maxStaleSeconds: z
    .strictObject({
      features: z.coerce.number().min(0).max(31_536_000).default(86_400).describe("Of sets of features."),
      tokens: z.coerce
        .number()
        .min(0)
        .max(31_536_000)
        .default(600)
        .describe("Of tokens, and of operators' credentials."),
    })
    .prefault({})
    .describe("For how long the last known answer is served, marked as stale, while a store is away."),
  snapshot: z
    .strictObject({ file: z.string().min(1).describe("The file; made with its folder where it is missing.") })
    .optional()
    .describe(
      "Keeps what is remembered of Redis in a file, so that a process can start and serve while Redis is away. Left out, none does.",
    ),
});

/** The section `events`. */
export const events = z.strictObject({
  environment: z
    .string()
    .min(1)
    .max(100)
    .default("production")
    .describe(
      "What the events of this service say of where they happened. The environment's TIDEGATE_ENVIRONMENT wins.",
    ),
  retentionDays: integer(1, 36_500)
    .optional()
    .describe(
      "For how many days events are kept. What was before is not known then: who changed what, and what was on. Left out, all are kept.",
    ),
});

/** The section `admin`. */
export const admin = z.strictObject({
  tokenFile: z
    .string()
    .min(1)
    .optional()
    .describe(
      "Holds the operators' first credential where TIDEGATE_ADMIN_TOKEN is not set; made with a random one where it is missing. Left out, there is none but that of the environment and those that `tidegate credentials` issues.",
    ),
});

/** Schema of a whole file, except for the options that each source kind adds. */
export const base = z.strictObject({
  server: server.prefault({}),
  log: log.prefault({}),
  compatibility: compatibility.prefault({}),
  cache: cache.prefault({}),
  events: events.prefault({}),
  admin: admin.prefault({}),
  connections: z
    .record(name, connection)
    .default({})
    .describe(
      "The stores, by name; and `events`, where the event log is kept, of kind postgres or sqlite: left out, in the file `events.db` among the data.",
    ),
  locators,
  tokens: tokens.optional().describe("Where tokens are looked up. Left out, no token is known."),
  context: context.prefault({}),
  sources: z.array(z.looseObject({ kind: z.string() })).min(1),
});

export type TokenOptions = z.output<typeof tokens>;
