const utf8 = new TextEncoder();

const rotated = (value: number, by: number): number => (value << by) | (value >>> (32 - by));

const mixed = (block: number): number => Math.imul(rotated(Math.imul(block, 0xcc9e2d51), 15), 0x1b873593);

/** MurmurHash3 of the UTF-8 bytes of a text (x86, 32 bits, seed 0): 0 to 4294967295, evenly distributed. */
export function murmur3(text: string): number {
  const bytes = utf8.encode(text);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const rest = bytes.length & ~3;
  let hash = 0;
  for (let at = 0; at < rest; at += 4) {
    hash = (Math.imul(rotated(hash ^ mixed(view.getUint32(at, true)), 13), 5) + 0xe6546b64) | 0;
  }
  let block = 0;
  for (let at = bytes.length - 1; at >= rest; at--) block = (block << 8) | view.getUint8(at);
  hash ^= mixed(block) ^ bytes.length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
