import { lookup } from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";
import { isNetwork, special4, special6 } from "../../../infrastructure/ip-networks.ts";

/**
 * Non-public IPv6 networks, outside of the ranges for unicast allocation. NAT64 (64:ff9b::/96) is not listed, because
 * it leads to IPv4.
 */
const own6 = ["::/96", "64:ff9b:1::/48", "100::/64", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8"];
/** IPv6 prefixes that embed an IPv4 address: mapped, translated (RFC 6145), and NAT64 (RFC 6052). */
const embeddings = ["::ffff:", "::ffff:0:", "64:ff9b::"];

/** Allowlist of hosts: the public internet, plus configured exceptions. Prevents server-side request forgery. */
export class Reachable {
  readonly #names: ReadonlySet<string>;
  readonly #allowed: BlockList;

  /** `allow` lists the non-public hosts to allow: host names, addresses, and networks such as 10.0.0.0/8. */
  constructor(allow: readonly string[]) {
    this.#names = new Set(allow.filter((entry) => !isNetwork(entry)).map((name) => name.toLowerCase()));
    this.#allowed = listOf(allow.filter(isNetwork));
  }

  /** The fault of a URL, without a host lookup; `undefined` if it is allowed. */
  faultOf(url: URL): string | undefined {
    const host = hostOf(url);
    const isListed = this.#isListed(host);
    if (url.protocol !== "https:" && url.protocol !== "http:") return "is invalid (expected https://host/path)";
    if (url.username || url.password) return "contains a user or password; send them in a header";
    if (url.protocol === "http:" && !isListed) return `is not encrypted (use https:, or add ${host} to allow)`;
    if (isIP(host) && !this.isOpen(host)) return `leads to ${host}, which is not a public address (add it to allow)`;
    return undefined;
  }

  /**
   * Resolves a host. Fails unless all its addresses are allowed. The connection uses these addresses, so a later DNS
   * change has no effect (DNS rebinding).
   */
  readonly lookup: LookupFunction = (host, options, done) => {
    lookup(host, { ...options, all: true }, (error, addresses) => {
      if (error) return done(error, []);
      const closed = this.#names.has(host.toLowerCase())
        ? undefined
        : addresses.find(({ address }) => !this.isOpen(address));
      if (closed) {
        return done(new Error(`${host} resolves to an address that is not public; add it to allow`), []);
      }
      const [first] = addresses;
      if (options.all || !first) done(null, addresses);
      else done(null, first.address, first.family);
    });
  };

  /** Whether an address is public or allowed. */
  isOpen(address: string): boolean {
    const family = isIP(address) === 6 ? "ipv6" : "ipv4";
    closed ??= listOf([...special4, ...special6, ...own6]);
    return this.#allowed.check(address, family) || !closed.check(address, family);
  }

  #isListed(host: string): boolean {
    return isIP(host) ? this.#allowed.check(host, isIP(host) === 6 ? "ipv6" : "ipv4") : this.#names.has(host);
  }
}

/** The host of a URL; IPv6 addresses without brackets. */
export const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[(.*)\]$/, "$1");

function listOf(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = "", prefix] = network.split("/");
    const is6 = isIP(address) === 6;
    list.addSubnet(address, Number(prefix ?? (is6 ? 128 : 32)), is6 ? "ipv6" : "ipv4");
    if (is6) continue;
    for (const embedding of embeddings) list.addSubnet(embedding + address, 96 + Number(prefix ?? 32), "ipv6");
  }
  return list;
}

/** The networks that are not public. Made on first use, because Node.js takes 9 ms to prepare its IPv6 check. */
let closed: BlockList | undefined;
