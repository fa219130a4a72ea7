import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { LRUCache } from "lru-cache";
import { Reader, type Response } from "mmdb-lib";
import { errorMessage } from "../../domain/error-message.ts";
import type { Locator } from "../../domain/evaluation/locator.ts";
import { SetupFailed } from "../setup-failed.ts";
import { publicAddress } from "./public-address.ts";

/** The fields read from a database entry. MaxMind and DB-IP nest them, ip-location-db does not. */
type Entry = {
  readonly country?: { readonly iso_code?: string };
  readonly country_code?: string;
  readonly city?: string | { readonly names?: { readonly en?: string } };
};

const ownDatabase = "#country-database";
/** First bytes of a gzip file. */
const gzip = Buffer.from([0x1f, 0x8b]);
/** Separator between the search tree of a database and its data. */
const separator = Buffer.alloc(16);
/** Limit of the entry cache. Country databases have some hundred entries. */
const entriesRead = 10_000;

/**
 * GeoIP locator: looks up the client address. Returns the country, for example `es`, or the city if the database has
 * cities, for example `es/madrid`. Returns no location for addresses that are not public. Loads the whole file into
 * memory, and accepts it compressed by gzip. Default file: the bundled country database. Throws `SetupFailed` if the
 * file is unusable.
 */
export function geoipLocator(file = fileURLToPath(import.meta.resolve(ownDatabase))): Locator {
  const database = open(file);
  return {
    kind: "geoip",
    headers: [],
    readsIp: true,
    locate: ({ ip }) => {
      const address = ip === undefined ? undefined : publicAddress(ip);
      const entry = address === undefined ? null : (database.get(address) as Entry | null);
      return entry ? locationsOf(entry) : [];
    },
  };
}

function open(file: string): Reader<Response> {
  try {
    const stored = readFileSync(file);
    const content = stored.subarray(0, gzip.length).equals(gzip) ? gunzipSync(stored) : stored;
    const database = readerOf(content);
    const { searchTreeSize } = database.metadata;
    if (content.subarray(searchTreeSize, searchTreeSize + separator.length).equals(separator)) return database;
    throw new Error("damaged");
  } catch (cause) {
    const reason = errorMessage(cause);
    throw new SetupFailed(
      `cannot use the GeoIP database ${file}: ${reason} (expected a readable MaxMind database; omit \`database\` for the bundled one)`,
    );
  }
}

function readerOf(content: Buffer): Reader<Response> {
  try {
    return new Reader(content, { cache: new LRUCache<string | number, object>({ max: entriesRead }) });
  } catch {
    throw new Error("not a MaxMind database, or damaged");
  }
}

function locationsOf({ country, country_code, city }: Entry): readonly string[] {
  const code = (country?.iso_code ?? country_code)?.toLowerCase();
  if (!code) return [];
  const name = typeof city === "object" ? city.names?.en : city;
  const level = name && nameOf(name);
  return [level ? `${code}/${level}` : code];
}

/** Normalizes a city for typing: unaccented lower-case letters and digits, with hyphens for all else. */
const nameOf = (city: string): string =>
  city
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, "-")
    .replace(/^-|-$/g, "");
