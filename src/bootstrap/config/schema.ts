import { z } from "zod";
import { context } from "../../adapters/context-options.ts";
import { roles } from "../../domain/evaluation/source.ts";
import { locators } from "../../infrastructure/location/locator-options.ts";
import { timeZone } from "../../infrastructure/time-zone.ts";
import { connection, name } from "./connection-schema.ts";

/** An integer, also as text from a filled-in variable. */
const integer = (min: number, max: number) =>
  z.preprocess(
    (value) => (typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value),
    z.int().min(min).max(max),
  );

/** A boolean, also as text from a filled-in variable. */
const flag = z.preprocess((value) => (value === "true" ? true : value === "false" ? false : value), z.boolean());

/** The section `tokens`. */
export const tokens = z.strictObject({
  connection: name.describe("The connection with the tokens."),
  layout: z
    .enum(["plain", "hashed"])
    .default("plain")
    .describe(
      "`plain`: keys contain the tokens. `hashed`: keys contain base64url(HMAC-SHA-256(pepper, token)), with the pepper of TIDEGATE_TOKEN_PEPPER, otherwise of `pepperFile`.",
    ),
  key: z
    .string()
    .regex(
      /^[^{}]+:\{token\}$/,
      "invalid token key (expected a literal, a colon and {token}, for example token:{token})",
    )
    .optional()
    .describe("The key of the user id of a token. Default: `token:{token}`, or `tokenh:{token}` for hashed tokens."),
  pepperFile: z
    .string()
    .min(1)
    .optional()
    .describe("The file of the pepper if TIDEGATE_TOKEN_PEPPER is not set, created with a random pepper if missing."),
});

/** The section `server`. */
export const server = z.strictObject({
  host: z.string().min(1).default("127.0.0.1").describe("The address to listen on. HOST takes precedence."),
  port: integer(0, 65_535).default(5000).describe("The port to listen on. PORT takes precedence."),
  workers: z
    .union([z.literal("auto"), integer(1, 512)])
    .default(1)
    .describe("Number of worker processes; `auto`: one per core. WEB_CONCURRENCY takes precedence."),
  basePath: z
    .string()
    .regex(
      /^(\/(?!\.{1,2}(\/|$))[\w.~-]+)*$/,
      "invalid base path (expected for example /api, without a trailing slash)",
    )
    .default("")
    .describe("Prefix of all paths, for example `/api`. Other paths return 404."),
  backoffice: flag.default(true).describe("Whether to serve the page for operators at `/backoffice/`."),
  timeZone: z
    .string()
    .default("UTC")
    .transform((text, context) => {
      const zone = timeZone(text);
      if (zone) return zone;
      context.addIssue("invalid time zone (expected for example Europe/Madrid)");
      return z.NEVER;
    })
    .describe("Time zone of dates and times without an offset in queries of `/events` and `/search`."),
  drainMs: integer(0, 60_000)
    .default(500)
    .describe(
      "Time from SIGTERM until the server stops accepting requests, in milliseconds. Responses close their connections meanwhile, so that load balancers move on.",
    ),
  limits: z
    .strictObject({
      connections: integer(1, 1_000_000)
        .optional()
        .describe("Maximum number of open connections, without open streams of clients. Default: no limit."),
      inFlight: integer(1, 1_000_000)
        .optional()
        .describe(
          "Maximum number of requests in flight, including `/events/stream`, but not the streams that `server.streams` limits. A tenth is kept for clients without features: requests without `If-None-Match`. Default: no limit.",
        ),
    })
    .optional()
    .describe(
      "Limits of each worker process. Requests beyond a limit return 503 with `Retry-After` and are not processed. Exempt: health checks and `/admin/v1/killed`. Default: no limits.",
    ),
  streams: z
    .strictObject({
      perCaller: integer(1, 1_000_000)
        .default(10)
        .describe("Maximum number of open streams of one token, or of one user's OpenFeature clients."),
      perAddress: integer(1, 1_000_000)
        .default(1_000)
        .describe(
          "Maximum number of open streams of one client address. Behind a proxy, set `context.trustedProxies`.",
        ),
      perProcess: integer(1, 1_000_000).default(10_000).describe("Maximum number of open streams."),
    })
    .prefault({})
    .describe(
      "Limits of the streams of clients in each worker process. Streams beyond a limit are refused, with `Retry-After`.",
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
              .describe("Prefix of the keys. It must not overlap token keys or reserved keys."),
            connection: name.optional().describe("The connection with the keys. Default: the only connection."),
          }),
        )
        .meta({ type: ["string", "object"] }),
    )
    .default([])
    .describe(
      "Keys that operators may read with `GET /proxy?key=`. Each entry is a prefix, or a map of `prefix` and `connection`.",
    ),
  cors: z
    .strictObject({
      origins: z
        .array(z.string().regex(/^(\*|https?:\/\/[^/\s]+)$/, "invalid origin (expected https://app.example, or *)"))
        .min(1)
        .describe("Web origins that may call, for example https://app.example; `*`: all."),
    })
    .optional()
    .describe("CORS. Default: no other origin may call."),
});

/** The section `compatibility`. */
export const compatibility = z.strictObject({
  activityService: flag
    .default(false)
    .describe(
      "For clients of the activity service: adds `GET /heath`; events may omit `email`, and their `data` may be any JSON value.",
    ),
  unleash: z
    .union([
      flag,
      z.strictObject({
        source: name.describe("The source of kind `unleash` whose document is passed on to backend SDKs."),
      }),
    ])
    .meta({ type: ["boolean", "object"] })
    .default(false)
    .describe(
      "For Unleash's SDKs: `true` serves frontend SDKs; `{ source: <name> }` also passes on the document of that source to backend SDKs, and forwards what SDKs report. Default: neither.",
    ),
});

/** The section `log`. */
export const log = z.strictObject({
  level: z
    .enum(["trace", "debug", "info", "warn", "error", "silent"])
    .default("info")
    .describe("Minimum level of log lines. LOG_LEVEL takes precedence."),
  requests: flag.default(false).describe("Whether each request writes a log line."),
});

/** The options that every source has. */
export const commonOptions = z.strictObject({
  name: name.describe("Name of the source, unique in the file."),
  label: z.string().min(1).max(100).optional().describe("Display name for operators. Default: the name."),
  kind: z.string(),
  role: z
    .enum(roles)
    .default("grant")
    .describe(
      "`grant`: switches features on. `gate`: holds back the grants that name it. `veto`: switches features off for everyone.",
    ),
  gatedBy: z.array(z.string()).default([]).describe("For grants: the gates that must pass a feature."),
  default: z
    .enum(["allow", "deny"])
    .optional()
    .describe("For gates: the result for features that the gate does not list. Default: `deny`."),
  onFailure: z
    .enum(["fail", "skip"])
    .default("fail")
    .describe(
      "`fail`: responses need this source. `skip`: responses omit it on failure, and are marked as incomplete.",
    ),
  timeoutMs: integer(1, 10_000)
    .default(250)
    .describe(
      "Timeout of an evaluation, in milliseconds. A read of a store times out after 200 ms. With less than that, cached values are not used on a timeout.",
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
    .describe("Maximum number of cached keys of each store. CACHE_CAPACITY takes precedence."),
  expirySeconds: z.coerce
    .number()
    .min(1)
    .max(86_400)
    .default(600)
    .describe("Time until an unchanged key is read again, in seconds. GLOBAL_CACHE_EXPIRY takes precedence."),
  maxStaleSeconds: z
    .strictObject({
      features: z.coerce.number().min(0).max(31_536_000).default(86_400).describe("For sets and rules."),
      tokens: z.coerce.number().min(0).max(31_536_000).default(600).describe("For tokens and operator credentials."),
    })
    .prefault({})
    .describe("Maximum age of cached values that are used, marked as stale, while a store is unavailable."),
  snapshot: z
    .strictObject({ file: z.string().min(1).describe("The file, created with its folder if missing.") })
    .optional()
    .describe(
      "Keeps cached reads of Redis in a file, so that a process can start while Redis is unavailable. Default: no snapshot.",
    ),
});

/** The section `events`. */
export const events = z.strictObject({
  environment: z
    .string()
    .min(1)
    .max(100)
    .default("production")
    .describe("Value of `environment` in the events of this service. TIDEGATE_ENVIRONMENT takes precedence."),
  retentionDays: integer(1, 36_500)
    .optional()
    .describe(
      "Days until events are deleted. The history of features begins with the remaining events. Default: events are kept.",
    ),
});

/** The section `admin`. */
export const admin = z.strictObject({
  tokenFile: z
    .string()
    .min(1)
    .optional()
    .describe(
      "File of the first operator credential if TIDEGATE_ADMIN_TOKEN is not set, created with a random credential if missing. Default: no file.",
    ),
  sessionHours: integer(1, 24)
    .default(12)
    .describe("How long an operator stays signed in to the backoffice, in hours."),
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
      "Stores by name. The name `events` is reserved for the event log, of kind postgres or sqlite. Default of the event log: the file `events.db` in the data folder.",
    ),
  locators,
  tokens: tokens.optional().describe("Where tokens are looked up. Default: all tokens are unknown."),
  context: context.prefault({}),
  sources: z.array(z.looseObject({ kind: z.string() })).min(1),
});

export type TokenOptions = z.output<typeof tokens>;
