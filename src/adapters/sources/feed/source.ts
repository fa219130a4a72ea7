import type { CachedRead } from "../../../domain/evaluation/cached-read.ts";
import { type Instant, instantText } from "../../../domain/evaluation/evaluation-context.ts";
import { type FeatureKey, isWritableKey } from "../../../domain/evaluation/feature.ts";
import type { Reason, Resolution, SourceResult } from "../../../domain/evaluation/source-result.ts";
import type { KnownItem } from "../../../domain/feeds/item.ts";
import { defineFeed } from "../_catalogue/feed-definition.ts";
import { thenSync } from "../_catalogue/then-sync.ts";
import { Reachable } from "../_polled/reachable.ts";
import { HttpFeed } from "./http-feed.ts";
import { losesDigits } from "./long-number.ts";
import { pathsOf } from "./mapping.ts";
import { parsePath } from "./path.ts";
import { formats } from "./read-items.ts";
import { parseTemplate } from "./value-template.ts";
import { isZone } from "./zoned-instant.ts";

/** Headers that the configuration cannot set, because Tidegate or HTTP sets them. */
const ownHeader = /^(host|connection|content-.*|transfer-encoding|accept-encoding|if-.*|te|upgrade|expect)$/i;

export const source = defineFeed({
  summary:
    "Polls a document (JSON or XML over HTTP). Its items are features that are on for a time, and `GET /search` finds them.",
  options: ({ z, connection }) => {
    const readable = (parse: (text: string) => unknown) =>
      z.string().superRefine((text, context) => {
        const parsed = parse(text);
        if (typeof parsed === "string") context.addIssue(parsed);
      });
    const path = readable(parsePath);
    const template = readable(parseTemplate);
    // A literal prefix is required, so that a feed cannot switch on arbitrary features.
    const feature = template.refine(
      (text) => isWritableKey(text.split("{")[0] ?? ""),
      "invalid feature (start it with a literal of yours, for example event:{id})",
    );
    const scalar = z.union([z.string(), z.number(), z.boolean()]);
    const scalars = z
      .union([scalar.transform((one) => [one]), z.array(scalar).min(1)])
      .refine(
        (values) => !values.some((value) => typeof value === "number" && losesDigits(value)),
        "number beyond 2^53 (put it in quotes to keep all digits)",
      );
    const timePaths = { start: path, end: path };
    const count = (min: number, max: number, usual: number) => z.coerce.number().int().min(min).max(max).default(usual);
    const document = z
      .strictObject({
        url: z.string().refine((text) => URL.canParse(text), "invalid URL (expected https://host/path)"),
        format: z.enum(formats).optional().describe("Default: by `Content-Type`, or by the first character."),
        headers: z
          .record(
            z.string().regex(/^[A-Za-z0-9-]{1,100}$/, "invalid header name (expected letters, digits and -)"),
            z
              .string()
              .regex(
                /^[\x21-\x7e]([\x20-\x7e]{0,3998}[\x21-\x7e])?$/,
                "invalid header value (expected printable ASCII characters)",
              ),
          )
          .default({}),
        allow: z.array(z.string().min(1)).default([]),
        fetchTimeoutMs: count(100, 300_000, 10_000).describe(
          "Timeout of one request in milliseconds, from the DNS look-up to the last byte.",
        ),
        maxMegabytes: count(1, 1_000, 10).describe("Maximum size of the document after decompression."),
      })
      .superRefine(({ url, headers, allow }, context) => {
        const fault = URL.canParse(url) ? new Reachable(allow).faultOf(new URL(url)) : undefined;
        if (fault) context.addIssue({ code: "custom", path: ["url"], message: fault });
        for (const name of Object.keys(headers).filter((each) => ownHeader.test(each))) {
          context.addIssue({ code: "custom", path: ["headers", name], message: "reserved header (omit it)" });
        }
      })
      .describe(
        "The document: `url`; `format` (`json` or `xml`); request `headers`; `allow`, the non-public or unencrypted hosts, addresses and networks that may be called; `fetchTimeoutMs` (10000) and `maxMegabytes` (10).",
      );
    const item = z
      .strictObject({
        at: path.refine((text) => !text.startsWith(".."), "the path starts at the top of the document (remove ..)"),
        id: template.refine(
          (text) => text.includes("{"),
          "the id is the same for all items (use a field, for example {id})",
        ),
        title: path.optional(),
        window: z.strictObject({
          ...timePaths,
          zone: z.string().refine(isZone, "invalid time zone (expected for example Europe/Madrid)").default("UTC"),
        }),
        features: z
          .array(feature)
          .default([])
          .describe("Features that the item switches on during its window, or during `onWithin`."),
        onWithin: z.strictObject(timePaths).optional(),
        conditions: z
          .record(path, scalars)
          .default({})
          .describe(
            "Required values by path: one value, or one of several. An item that does not meet them is not offered.",
          ),
        prices: z.array(path).default([]).describe("Paths of prices. The lowest and the highest are reported."),
        metadata: z
          .record(z.string().min(1).max(100), path)
          .default({})
          .describe("Metadata by name, shown in explanations."),
      })
      .superRefine((input, context) => {
        const { names } = pathAt(input.at);
        if (pathsOf(input).every(({ up }) => up <= names.length)) return;
        context.addIssue(`a path goes up more levels than \`at\` has (${names.length})`);
      })
      .describe(
        "The mapping of items: `at`, the path of the items, and their `id`, `title`, `window`, `features`, `onWithin`, `conditions`, `prices` and `metadata`.",
      );
    return z.strictObject({
      connection: connection.describe("The connection that stores the items."),
      pollSeconds: count(1, 86_400, 60).describe("Time between two polls, in seconds."),
      maxItems: count(1, 1_000_000, 200_000).describe("Maximum number of known items. Further items are ignored."),
      document,
      item,
    });
  },
  example: {
    connection: "features",
    document: { url: "https://partner.example/api/events" },
    item: {
      at: "events/show",
      id: "{../id}:{id}",
      title: "../title",
      window: { start: "starts", end: "ends", zone: "Europe/Madrid" },
      features: ["event:{../id}"],
      conditions: { "../status": "online" },
      prices: ["zones/price"],
    },
  },
  // Items depend only on the records in the event log.
  deterministic: true,
  feed: ({ pollSeconds, maxItems, document, item }, name) => {
    const { url, format, headers, allow, fetchTimeoutMs, maxMegabytes } = document;
    const feed = new HttpFeed({
      url: new URL(url),
      headers,
      reachable: new Reachable(allow),
      timeoutMs: fetchTimeoutMs,
      maxBytes: maxMegabytes * 1_000_000,
      format,
      mapping: { feed: name, ...item },
    });
    return { feed, everyMs: pollSeconds * 1_000, maxItems: maxItems };
  },
  create: (_, { readItems }) => {
    const evaluate = evaluator();
    return { varyBy: [], resolve: ({ at }) => thenSync(readItems(), (cached) => evaluate(cached, at)) };
  },
});

const pathAt = (text: string) => {
  const path = parsePath(text);
  return typeof path === "string" ? { up: 0, names: [] } : path;
};

/** A cached result, and when it starts to be valid. */
type CachedResult = {
  readonly cached: CachedRead<readonly KnownItem[]>;
  readonly off: ReadonlyMap<FeatureKey, Resolution>;
  readonly from: Instant;
  readonly result: SourceResult & { readonly validUntil: Instant };
};

/**
 * Evaluates items: features of offered items are on within their time windows; features of all other known items are
 * off. Caches the last result, which is valid until an item changes, starts or ends.
 */
function evaluator() {
  let last: CachedResult | undefined;
  return (cached: CachedRead<readonly KnownItem[]>, at: Instant): SourceResult => {
    if (last?.cached === cached && last.from <= at && at < last.result.validUntil) return last.result;
    const off = last?.cached === cached ? last.off : allOff(cached.value);
    const result = { ...evaluateAt(cached.value, at, off), dependencies: [cached] };
    last = { cached, from: at, off, result };
    return result;
  };
}

/** All known features, off. There can be 100,000, so the map is rebuilt only if an item changes. */
function allOff(items: readonly KnownItem[]): ReadonlyMap<FeatureKey, Resolution> {
  const features = new Map<FeatureKey, Resolution>();
  for (const item of items) {
    for (const feature of item.features)
      if (!features.has(feature)) features.set(feature, new ItemResolution(item, false));
  }
  return features;
}

function evaluateAt(items: readonly KnownItem[], at: Instant, off: ReadonlyMap<FeatureKey, Resolution>) {
  const features = new Map(off);
  let validUntil = Number.POSITIVE_INFINITY;
  for (const item of items) {
    if (!item.isOffered || at >= item.onUntil) continue;
    const on = item.onFrom <= at;
    validUntil = Math.min(validUntil, on ? item.onUntil : item.onFrom);
    if (!on) continue;
    for (const feature of item.features)
      if (!features.get(feature)?.on) features.set(feature, new ItemResolution(item, true));
  }
  return { features, validUntil };
}

/** Computes metadata lazily: only explanations read it, and few of up to 100,000 features are explained. */
class ItemResolution implements Resolution {
  readonly on: boolean;
  readonly #item: KnownItem;

  constructor(item: KnownItem, on: boolean) {
    this.#item = item;
    this.on = on;
  }

  get value(): boolean {
    return this.on;
  }

  get reason(): Reason {
    return this.on ? "TARGETING_MATCH" : "DISABLED";
  }

  get metadata() {
    return metadataOf(this.#item);
  }
}

const metadataOf = ({ id, title, onFrom, onUntil, isOffered, lastListedAt, metadata }: KnownItem) => ({
  item: id,
  title,
  onFrom: instantText(onFrom),
  onUntil: instantText(onUntil),
  offered: isOffered,
  ...(lastListedAt !== null && { lastListed: instantText(lastListedAt) }),
  partner: metadata,
});
