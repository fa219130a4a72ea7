import type { Locator } from "../../domain/evaluation/locator.ts";

const countryCode = /^[A-Za-z]{2}$/;
/** Values of Cloudflare for an unknown country and for Tor. */
const noCountries = ["XX", "T1"];

/**
 * Header locator: reads a header that a proxy sets. Lower-cases a value in the form of a country code, and keeps other
 * names.
 */
export function headerLocator(header: string): Locator {
  const name = header.toLowerCase();
  return {
    kind: "header",
    headers: [name],
    readsIp: false,
    locate: (hints) => {
      const value = hints.header(name)?.trim();
      if (!value || noCountries.includes(value)) return [];
      return [countryCode.test(value) ? value.toLowerCase() : value];
    },
  };
}
