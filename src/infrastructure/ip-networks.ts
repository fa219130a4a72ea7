import { isIP } from "node:net";

/** IPv4 networks that are not public: IANA special-purpose networks (RFC 6890) and all non-unicast ones. */
export const special4 = [
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
];

/** The same for IPv6, within 2000::/3, the range of global unicast addresses. */
export const special6 = ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"];

/** Whether a text is an IP address or a network in CIDR notation, for example 10.0.0.0/8. */
export function isNetwork(text: string): boolean {
  const [, address = "", bits = "0"] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  return isIP(address) !== 0 && Number(bits) <= (isIP(address) === 4 ? 32 : 128);
}
