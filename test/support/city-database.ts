type Value = string | { readonly [name: string]: Value };

const nodeBytes = 8;
const separator = Buffer.alloc(16);
const marker = Buffer.from("\xab\xcd\xefMaxMind.com", "latin1");

/** A MaxMind database (format 2.0) of IPv4 addresses, each with its entry. */
export function cityDatabase(entries: readonly (readonly [ip: string, entry: Value])[]): Buffer {
  const nodes: [Branch, Branch][] = [[undefined, undefined]];
  const data: Buffer[] = [];
  let size = 0;
  for (const [ip, entry] of entries) {
    const encoded = value(entry);
    place(nodes, ip, { at: size });
    data.push(encoded);
    size += encoded.length;
  }
  const tree = Buffer.alloc(nodes.length * nodeBytes);
  const target = (branch: Branch): number => {
    if (branch === undefined) return nodes.length;
    return typeof branch === "number" ? branch : nodes.length + separator.length + branch.at;
  };
  for (const [index, [left, right]] of nodes.entries()) {
    tree.writeUInt32BE(target(left), index * nodeBytes);
    tree.writeUInt32BE(target(right), index * nodeBytes + nodeBytes / 2);
  }
  return Buffer.concat([tree, separator, ...data, marker, metadata(nodes.length)]);
}

/** The child of a node for a bit of an address: another node, an entry, or nothing. */
type Branch = number | { readonly at: number } | undefined;

function place(nodes: [Branch, Branch][], ip: string, entry: { readonly at: number }): void {
  const bits = ip.split(".").flatMap((part) => [...Number(part).toString(2).padStart(8, "0")].map(Number));
  let node = nodes[0];
  for (const [depth, bit] of bits.entries()) {
    if (!node) return;
    if (depth === bits.length - 1) node[bit] = entry;
    const next = node[bit];
    if (next === undefined) {
      node[bit] = nodes.length;
      nodes.push([undefined, undefined]);
    }
    const reached = node[bit];
    node = typeof reached === "number" ? nodes[reached] : undefined;
  }
}

/** Types of the format, with a payload of up to 284 bytes or members. */
const textType = 2;
const wordType = 5;
const longType = 6;
const mapType = 7;

function head(type: number, size: number): Buffer {
  return size < 29 ? Buffer.from([(type << 5) | size]) : Buffer.from([(type << 5) | 29, size - 29]);
}

function value(of: Value): Buffer {
  if (typeof of === "string") return Buffer.concat([head(textType, Buffer.byteLength(of)), Buffer.from(of)]);
  const members = Object.entries(of);
  return Buffer.concat([
    head(mapType, members.length),
    ...members.flatMap(([name, inner]) => [value(name), value(inner)]),
  ]);
}

function metadata(nodeCount: number): Buffer {
  const word = (number: number) => Buffer.concat([head(wordType, 2), Buffer.from([number >> 8, number & 0xff])]);
  const count = Buffer.alloc(4);
  count.writeUInt32BE(nodeCount);
  const members: [string, Buffer][] = [
    ["binary_format_major_version", word(2)],
    ["binary_format_minor_version", word(0)],
    ["build_epoch", Buffer.concat([head(longType, 4), count])],
    ["database_type", value("Test-City")],
    ["description", value({})],
    ["ip_version", word(4)],
    ["node_count", Buffer.concat([head(longType, 4), count])],
    ["record_size", word(nodeBytes * 4)],
  ];
  return Buffer.concat([head(mapType, members.length), ...members.flatMap(([name, inner]) => [value(name), inner])]);
}
