import { BlockList, type IPVersion, isIP } from "node:net";

/** What IANA sets apart in its registries of special-purpose addresses (RFC 6890), and all that is no unicast. */
const specialV4 = blocks("ipv4", [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/3",
]);
/** The first three are all but 2000::/3, which is what unicast addresses are given out of. */
const specialV6 = blocks("ipv6", [
  "::/3",
  "4000::/2",
  "8000::/1",
  "2001::/23",
  "2001:db8::/32",
  "2002::/16",
  "3fff::/20",
]);

/** An address of the public internet, one of IPv4 that is written as IPv6 as what it is; `undefined` for any other text. */
export function publicAddress(text: string): string | undefined {
  const address = text.replace(/^::ffff:(?=\d+\.)/i, "");
  const version = isIP(address);
  if (version === 0) return undefined;
  const isSpecial = version === 4 ? specialV4.check(address, "ipv4") : specialV6.check(address, "ipv6");
  return isSpecial ? undefined : address;
}

function blocks(family: IPVersion, networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const block of networks) {
    const [network = "", bits] = block.split("/");
    list.addSubnet(network, Number(bits), family);
  }
  return list;
}
