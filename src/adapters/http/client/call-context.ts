import type { IncomingMessage } from "node:http";
import { parse as cookiesIn } from "hono/utils/cookie";
import { compile } from "proxy-addr";
import type { ContextFields } from "../../../application/evaluation/context-fields.ts";
import { explicitContext, type RequestContext } from "../../../application/evaluation/identify-caller.ts";
import { InvalidContext } from "../../../domain/errors.ts";
import { isValue, longestValue } from "../../../domain/evaluation/evaluation-context.ts";
import type { Locator } from "../../../domain/evaluation/locator.ts";
import { Attributes } from "../../attributes.ts";
import { clientAddress } from "./client-address.ts";
import type { ContextOptions } from "./context-options.ts";

/** How many seconds a client keeps the cookie with its id: as long as browsers let it. */
const cookieSeconds = 400 * 24 * 3_600;

/** What the evaluation context is made from in a request, beside who asks. Only what some source goes by is looked at. */
export class CallContext {
  /** The headers that answers depend on, as they are configured. */
  readonly headers: readonly string[];
  /** Whether clients without a token are told apart by an id, and given one. */
  readonly issuesIds: boolean;
  readonly attributes: Attributes;
  readonly #clientId: ContextOptions["clientId"];
  readonly #isTrusted: (address: string, hops: number) => boolean;
  readonly #locatorHeaders: ReadonlySet<string>;
  readonly #readsClientId: boolean;
  readonly #readsAddress: boolean;
  /** The headers that answers depend on, in lower case, numbered. */
  readonly marking: ReadonlyMap<string, number>;
  readonly #ofClients: readonly string[];
  readonly #ofProxies: readonly string[];

  constructor(options: ContextOptions, locator: Pick<Locator, "headers" | "readsIp">, reads: ContextFields) {
    this.attributes = new Attributes(options.attributes);
    this.#clientId = options.clientId;
    this.#isTrusted = compile(options.trustedProxies);
    this.#locatorHeaders = new Set(locator.headers);
    this.#readsClientId = reads.has("targetingKey");
    this.#readsAddress = reads.has("ip") || (reads.has("locations") && locator.readsIp);
    this.issuesIds = this.#readsClientId && options.clientId.issue;
    const ofAttributes = this.attributes.headers((name) => reads.has(`attributes.${name}`));
    const ofIds = [options.clientId.header, ...(options.clientId.cookie === undefined ? [] : ["Cookie"])];
    const ofClients = [...ofAttributes, ...(this.#readsClientId ? ofIds : [])];
    const ofProxies = reads.has("locations") ? locator.headers : [];
    this.headers = [...ofClients, ...ofProxies];
    this.#ofClients = ofClients.map((name) => name.toLowerCase());
    this.#ofProxies = ofProxies;
    this.marking = new Map(this.headers.map((name, index) => [name.toLowerCase(), index]));
  }

  /**
   * A text that is the same for requests whose targets and credentials are, only where all else that answers depend on is too. `headers` has
   * the values of `marking` headers, where the caller has read them already.
   */
  markOf(incoming: IncomingMessage, headers?: readonly (string | undefined)[]): string {
    if (this.marking.size === 0 && !this.#readsAddress) return "";
    let mark = "";
    for (const [name, index] of this.marking) {
      const value = headers ? headers[index] : textOf(incoming.headers[name]);
      mark += `\n${value ?? "\0"}`;
    }
    if (this.#ofProxies.length > 0) mark += this.#isOfTrusted(incoming) ? "\n+" : "\n-";
    return this.#readsAddress ? `${mark}\n${clientAddress(incoming, this.#isTrusted)}` : mark;
  }

  /**
   * What a request tells of its circumstances. `query` answers all values of a parameter. Throws `InvalidContext` for what means
   * nothing.
   */
  in(incoming: IncomingMessage, query: (name: string) => readonly string[]): RequestContext {
    const said = once(query("location"), "location");
    const ip = this.#readsAddress ? clientAddress(incoming, this.#isTrusted) : undefined;
    const clientId = this.#readsClientId ? this.#clientIdIn(incoming) : undefined;
    const header = (name: string) => (this.marking.has(name) ? textOf(incoming.headers[name]) : undefined);
    const attributes = this.attributes.in(query, header);
    return {
      clues: {
        ...(said ? { said } : {}),
        header: (name) => this.#hint(incoming, name),
        query: (name) => once(query(name), `parameter ${name}`),
        ...(ip === undefined ? {} : { ip }),
      },
      ...(clientId === undefined ? {} : { clientId }),
      ...(attributes ? { attributes } : {}),
    };
  }

  /** The headers that clients may send, in lower case. */
  get headersOfClients(): readonly string[] {
    return this.#ofClients.filter((name) => name !== "cookie");
  }

  /** The header that tells a client its id, where clients are given ids. */
  get issuedIn(): readonly string[] {
    return this.issuesIds ? [this.#clientId.header] : [];
  }

  /** What an operator tells of a client: where it says it is, its id, and attributes, but for those of headers. */
  toldIn(incoming: IncomingMessage, query: (name: string) => readonly string[]): RequestContext {
    const attributes = this.attributes.in(query, () => undefined);
    return explicitContext({ location: query("location")[0], clientId: this.#clientIdIn(incoming), attributes });
  }

  /** What tells a client the id that it was given. */
  issued(id: string): Readonly<Record<string, string>> {
    const { header, cookie } = this.#clientId;
    const kept = `${cookie}=${id}; Path=/; Max-Age=${cookieSeconds}; HttpOnly; SameSite=Lax`;
    return { [header]: id, ...(cookie === undefined ? {} : { "Set-Cookie": kept }) };
  }

  #clientIdIn({ headers }: IncomingMessage): string | undefined {
    const { header, cookie } = this.#clientId;
    const inCookie = cookie !== undefined && headers.cookie !== undefined && cookiesIn(headers.cookie, cookie)[cookie];
    const id = textOf(headers[header.toLowerCase()]) ?? (inCookie || undefined);
    if (id === undefined || isValue(id)) return id;
    throw new InvalidContext(`The id in ${header} has 1 to ${longestValue} printable characters; send that, or none.`);
  }

  /** A header about the client that only a proxy may set. */
  #hint(incoming: IncomingMessage, name: string): string | undefined {
    return this.#locatorHeaders.has(name) && this.#isOfTrusted(incoming) ? textOf(incoming.headers[name]) : undefined;
  }

  #isOfTrusted({ socket: { remoteAddress } }: IncomingMessage): boolean {
    return remoteAddress !== undefined && this.#isTrusted(remoteAddress, 0);
  }
}

function once([value, another]: readonly string[], what: string): string | undefined {
  if (another !== undefined) throw new InvalidContext(`The ${what} is given twice; send one.`);
  return value;
}

const textOf = (value: string | string[] | undefined): string | undefined => (Array.isArray(value) ? value[0] : value);
