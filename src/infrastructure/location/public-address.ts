import { BlockList, type IPVersion, isIP } from "node:net";
import { special4, special6 } from "../ip-networks.ts";

const closed4 = blocks("ipv4", special4);
const closed6 = blocks("ipv6", ["::/3", "4000::/2", "8000::/1", ...special6]);

/** Normalizes a public IP address. Converts IPv4-mapped IPv6 to IPv4. `undefined` for any other text. */
export function publicAddress(text: string): string | undefined {
  const address = text.replace(/^::ffff:(?=\d+\.)/i, "");
  const version = isIP(address);
  if (version === 0) return undefined;
  const isSpecial = version === 4 ? closed4.check(address, "ipv4") : closed6.check(address, "ipv6");
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
