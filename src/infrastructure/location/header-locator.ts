import type { Locator } from "../../domain/evaluation/locator.ts";

const countryCode = /^[A-Za-z]{2}$/;
/** What Cloudflare says of who has no country, and of who comes through Tor. */
const noCountries = ["XX", "T1"];

/** Goes by a header that a proxy sets. What may be the code of a country is lower-cased; other names are taken as they are. */
export function headerLocator(header: string): Locator {
  const name = header.toLowerCase();
  return {
    kind: "header",
    headers: [name],
    readsIp: false,
    locate: (clues) => {
      const value = clues.header(name)?.trim();
      if (!value || noCountries.includes(value)) return [];
      return [countryCode.test(value) ? value.toLowerCase() : value];
    },
  };
}
