import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { parse as cookiesIn } from "hono/utils/cookie";
import { compile } from "proxy-addr";
import type { ContextFields } from "../../../application/evaluation/context-fields.ts";
import { explicitContext, type RequestContext } from "../../../application/evaluation/identify-caller.ts";
import { InvalidContext } from "../../../domain/errors.ts";
import type { Json } from "../../../domain/evaluation/feature.ts";
import { isValue, valueRule } from "../../../domain/evaluation/key-template.ts";
import type { Locator } from "../../../domain/evaluation/locator.ts";
import { Attributes } from "../../attributes.ts";
import type { ContextOptions } from "../../context-options.ts";
import { clientAddress } from "./client-address.ts";

/** Lifetime of the client id cookie: 400 days, the maximum that browsers accept. */
const cookieSeconds = 400 * 24 * 3_600;

/** The parts of a request that decide a response, as the fields that sources read determine them. */
type Reads = {
  readonly clientId: boolean;
  readonly address: boolean;
  /** Headers of clients, in lower case. */
  readonly ofClients: readonly string[];
  readonly ofProxies: readonly string[];
  /** The headers that responses vary by: lower-case name to index. */
  readonly varyHeaders: ReadonlyMap<string, number>;
  readonly vary: string;
  /** The start of cache keys. It differs from that of keys with fewer parts. */
  readonly keyStart: string;
};

/** Builds the request context from a client's request. Reads only the fields that some source uses. */
export class CallContext {
  readonly attributes: Attributes;
  readonly #clientId: ContextOptions["clientId"];
  readonly #isTrusted: (address: string, hops: number) => boolean;
  readonly #locatorHeaders: ReadonlySet<string>;
  #reads: Reads;

  constructor(options: ContextOptions, locator: Pick<Locator, "headers" | "readsIp">, fields: ContextFields) {
    this.attributes = new Attributes(options.attributes);
    this.#clientId = options.clientId;
    this.#isTrusted = compile(options.trustedProxies);
    this.#locatorHeaders = new Set(locator.headers);
    const reads = () => readsFor(fields, this.attributes, options.clientId, locator);
    this.#reads = reads();
    fields.onAdded(() => {
      this.#reads = reads();
    });
  }

  /** The headers that responses vary by: lower-case name to index. */
  get varyHeaders(): ReadonlyMap<string, number> {
    return this.#reads.varyHeaders;
  }

  /** The `Vary` header of responses. */
  get vary(): string {
    return this.#reads.vary;
  }

  /** Whether a client without a token and id receives a new id. */
  get issuesIds(): boolean {
    return this.#reads.clientId && this.#clientId.issue;
  }

  /**
   * The part of a cache key for request data other than target, body and credentials. Two requests have equal texts
   * only if all that data is equal. `values` holds the values of `varyHeaders`, if the caller has read them already.
   */
  varyKey(incoming: IncomingMessage, values?: readonly (string | undefined)[]): string {
    const { varyHeaders, address, ofProxies, keyStart } = this.#reads;
    if (varyHeaders.size === 0 && !address) return keyStart;
    let key = keyStart;
    for (const [name, index] of varyHeaders) {
      const value = values ? values[index] : textOf(incoming.headers[name]);
      key += `\n${value ?? "\0"}`;
    }
    if (ofProxies.length > 0) key += this.#isOfTrusted(incoming) ? "\n+" : "\n-";
    return address ? `${key}\n${clientAddress(incoming, this.#isTrusted)}` : key;
  }

  /** The request context. `query` returns all values of a parameter. Throws `InvalidContext` for an invalid value. */
  in(incoming: IncomingMessage, query: (name: string) => readonly string[]): RequestContext {
    const location = once(query("location"), "location");
    const ip = this.#reads.address ? clientAddress(incoming, this.#isTrusted) : undefined;
    const clientId = this.#reads.clientId ? this.#clientIdIn(incoming) : undefined;
    const attributes = this.attributes.in(query, this.#varyingIn(incoming));
    return {
      hints: {
        location: location || undefined,
        header: this.#hintsIn(incoming),
        query: (name) => once(query(name), `parameter ${name}`),
        ip,
      },
      clientId,
      attributes,
    };
  }

  /**
   * The request context in a body: `targetingKey` and the other fields of a context as clients of OpenFeature send
   * them. `remoteAddress` is the client's address as a trusted proxy states it in the body; ignored if others send it.
   * Throws `InvalidContext` for an invalid value.
   */
  inBody(
    incoming: IncomingMessage,
    targetingKey: string | undefined,
    fields: Readonly<Record<string, Json>>,
    remoteAddress?: string,
  ): RequestContext {
    if (targetingKey !== undefined && !isValue(targetingKey)) {
      throw new InvalidContext(`Invalid targeting key (expected ${valueRule}).`);
    }
    const stated = remoteAddress !== undefined && isIP(remoteAddress) && this.#isOfTrusted(incoming);
    const ip = this.#reads.address ? (stated ? remoteAddress : clientAddress(incoming, this.#isTrusted)) : undefined;
    const clientId = targetingKey ?? (this.#reads.clientId ? this.#clientIdIn(incoming) : undefined);
    const { location } = fields;
    const attributes = this.attributes.inFields(fields, this.#varyingIn(incoming));
    return {
      hints: {
        ...(typeof location === "string" && location !== "" ? { location } : {}),
        header: this.#hintsIn(incoming),
        query: (name) => scalarText(fields[name]),
        ...(ip === undefined ? {} : { ip }),
      },
      ...(clientId === undefined ? {} : { clientId }),
      ...(attributes ? { attributes } : {}),
    };
  }

  /** The client's address, for limits; `undefined` if it cannot be read. */
  addressOf(incoming: IncomingMessage): string | undefined {
    return clientAddress(incoming, this.#isTrusted);
  }

  /** Headers that clients may send, in lower case. */
  get headersOfClients(): readonly string[] {
    return this.#reads.ofClients.filter((name) => name !== "cookie");
  }

  /** The response header with a new client id; empty if ids are not issued. */
  get issuedIn(): readonly string[] {
    return this.issuesIds ? [this.#clientId.header] : [];
  }

  /**
   * The explicit context in an operator's request: location, client id, and attributes from the query, not from
   * headers.
   */
  explicitIn(incoming: IncomingMessage, query: (name: string) => readonly string[]): RequestContext {
    const attributes = this.attributes.in(query, () => undefined);
    return explicitContext({ location: query("location")[0], clientId: this.#clientIdIn(incoming), attributes });
  }

  /** Response headers that give a client its new id. */
  issued(id: string): Readonly<Record<string, string>> {
    const { header, cookie } = this.#clientId;
    const setCookie = `${cookie}=${id}; Path=/; Max-Age=${cookieSeconds}; HttpOnly; SameSite=Lax`;
    return { [header]: id, ...(cookie === undefined ? {} : { "Set-Cookie": setCookie }) };
  }

  #clientIdIn({ headers }: IncomingMessage): string | undefined {
    const { header, cookie } = this.#clientId;
    const inCookie = cookie !== undefined && headers.cookie !== undefined && cookiesIn(headers.cookie, cookie)[cookie];
    const id = textOf(headers[header.toLowerCase()]) ?? (inCookie || undefined);
    if (id === undefined || isValue(id)) return id;
    throw new InvalidContext(`Invalid ${header} (expected ${valueRule}). Send a valid id, or omit the header.`);
  }

  /** The values of headers that responses vary by. */
  #varyingIn(incoming: IncomingMessage): (name: string) => string | undefined {
    return (name) => (this.varyHeaders.has(name) ? textOf(incoming.headers[name]) : undefined);
  }

  /**
   * The location headers, if a trusted proxy sent them. Does not keep the request, because streams keep their context.
   */
  #hintsIn(incoming: IncomingMessage): (name: string) => string | undefined {
    if (this.#locatorHeaders.size === 0 || !this.#isOfTrusted(incoming)) return noHint;
    const hints = new Map([...this.#locatorHeaders].map((name) => [name, textOf(incoming.headers[name])]));
    return (name) => hints.get(name);
  }

  #isOfTrusted({ socket: { remoteAddress } }: IncomingMessage): boolean {
    return remoteAddress !== undefined && this.#isTrusted(remoteAddress, 0);
  }
}

function readsFor(
  fields: ContextFields,
  attributes: Attributes,
  { header, cookie }: ContextOptions["clientId"],
  locator: Pick<Locator, "headers" | "readsIp">,
): Reads {
  const clientId = fields.has("targetingKey");
  const ofAttributes = attributes.headers((name) => fields.has(`attributes.${name}`));
  const ofIds = [header, ...(cookie === undefined ? [] : ["Cookie"])];
  const ofClients = [...ofAttributes, ...(clientId ? ofIds : [])];
  const ofProxies = fields.has("locations") ? locator.headers : [];
  const headers = [...ofClients, ...ofProxies];
  return {
    clientId,
    address: fields.has("ip") || (fields.has("locations") && locator.readsIp),
    ofClients: ofClients.map((name) => name.toLowerCase()),
    ofProxies,
    varyHeaders: new Map(headers.map((name, index) => [name.toLowerCase(), index])),
    vary: ["Authorization", ...headers].join(", "),
    keyStart: fields.version === 0 ? "" : `\n\0${fields.version}`,
  };
}

function once([value, another]: readonly string[], what: string): string | undefined {
  if (another !== undefined) throw new InvalidContext(`The ${what} is repeated. Send it once.`);
  return value;
}

const noHint = () => undefined;

const scalarText = (value: Json | undefined): string | undefined =>
  typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;

const textOf = (value: string | string[] | undefined): string | undefined => (Array.isArray(value) ? value[0] : value);
