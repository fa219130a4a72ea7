import { lookup } from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";
import { isNetwork, special4, special6 } from "../../../infrastructure/ip-networks.ts";

/** Networks of IPv6 that may be our own, outside of those that unicast addresses are given out of; NAT64's is not, as it leads to IPv4. */
const own6 = ["::/96", "64:ff9b:1::/48", "100::/64", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8"];
/** What an IPv4 address stands behind in an IPv6 one: mapped, translated (RFC 6145), and of NAT64 (RFC 6052). */
const embeddings = ["::ffff:", "::ffff:0:", "64:ff9b::"];

/** Which hosts may be asked. */
export class Reachable {
  readonly #names: ReadonlySet<string>;
  readonly #allowed: BlockList;

  /** `allow` names those that may be although they are not of the public internet: host names, addresses, and networks as in 10.0.0.0/8. */
  constructor(allow: readonly string[]) {
    this.#names = new Set(allow.filter((entry) => !isNetwork(entry)).map((name) => name.toLowerCase()));
    this.#allowed = listOf(allow.filter(isNetwork));
  }

  /** What is wrong with asking a URL, as far as can be told without looking its host up; `undefined` for one that may be asked. */
  faultOf(url: URL): string | undefined {
    const host = hostOf(url);
    const isListed = this.#isListed(host);
    if (url.protocol !== "https:" && url.protocol !== "http:") return "is no https: URL; write one";
    if (url.username || url.password) return "holds a user or password; send them with headers";
    if (url.protocol === "http:" && !isListed) return `is not encrypted; write https:, or list ${host} under allow`;
    if (isIP(host) && !this.isOpen(host)) return `leads to ${host}, which is no public address; list it under allow`;
    return undefined;
  }

  /** Looks a host up, and hands on its addresses only where all of them may be asked. A connection is made to those, and not to what the name leads to later. */
  readonly lookup: LookupFunction = (host, options, done) => {
    lookup(host, { ...options, all: true }, (error, addresses) => {
      if (error) return done(error, []);
      const closed = this.#names.has(host.toLowerCase())
        ? undefined
        : addresses.find(({ address }) => !this.isOpen(address));
      if (closed) {
        return done(new Error(`${host} leads to an address that is not public; list it under allow`), []);
      }
      const [first] = addresses;
      if (options.all || !first) done(null, addresses);
      else done(null, first.address, first.family);
    });
  };

  /** Whether an address is of the public internet, or allowed. */
  isOpen(address: string): boolean {
    const family = isIP(address) === 6 ? "ipv6" : "ipv4";
    return this.#allowed.check(address, family) || !closed.check(address, family);
  }

  #isListed(host: string): boolean {
    return isIP(host) ? this.#allowed.check(host, isIP(host) === 6 ? "ipv6" : "ipv4") : this.#names.has(host);
  }
}

/** The host of a URL, an IPv6 address without its brackets. */
export const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[(.*)\]$/, "$1");

function listOf(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = "", prefix] = network.split("/");
    const is6 = isIP(address) === 6;
    list.addSubnet(address, Number(prefix ?? (is6 ? 128 : 32)), is6 ? "ipv6" : "ipv4");
    if (is6) continue;
    for (const before of embeddings) list.addSubnet(before + address, 96 + Number(prefix ?? 32), "ipv6");
  }
  return list;
}

const closed = listOf([...special4, ...special6, ...own6]);
