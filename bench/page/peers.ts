import { type LoadName, loads } from "../contestants/ofrep.ts";
import { capacity, connections, ours, type Peers, peerNames } from "../measurements/peers.ts";
import { spreadOf } from "../spread.ts";
import { mb } from "./figures.ts";
import { ratesTable } from "./rates-table.ts";
import { ratios, slicesOf } from "./targets.ts";

const loadNames = Object.keys(loads) as LoadName[];

/** The section of the page about other flag servers. `versions` are those of the part. */
export const peersSection = (
  peers: Peers,
  versions: Readonly<Record<string, string>>,
): string => `## Beside other flag servers

Tidegate and other servers read one file of 100 boolean flags: a third is on, a third is off, and a third has one
condition on \`targetingKey\` or two on attributes. Each call evaluates all of them (\`POST /ofrep/v1/evaluate/flags\`). The values and variants of
20 callers were checked before and after, so the work is the same.

${loadNames.map((load) => table(peers, load)).join("\n\n")}

${loadNames.flatMap((load) => peerNames.map((peer) => verdict(peers, peer, load))).join("")}${peerNames.map((peer) => memory(peers, peer)).join("")}- **Repeated callers**: 10,000 in turn. Tidegate returns cached responses, with \`CACHE_CAPACITY=${capacity}\`, because callers without a token
  share an eighth of the cache; others evaluate each call. **New contexts**: each \`targetingKey\` is a new one, so all evaluate
  each call. Tidegate has its defaults.
${peerNames.map((peer) => settings(peers, peer, versions[peer])).join("")}${peers.skipped.map((why) => `- Skipped: ${why}\n`).join("")}- Unleash's server and the Flask design are in [On one core](#on-one-core).
- Not measured: GO Feature Flag's relay proxy, Flipt and Unleash Edge, since no binary of them was at hand. To add one, start it in a file of
  \`bench/contestants/\`, as \`flagd.ts\` does, and name it in \`bench/measurements/peers.ts\`.
`;

const table = ({ slices }: Peers, load: LoadName): string =>
  ratesTable(slices, {
    title: `${load}, ${connections} connections`,
    names: [ours, ...peerNames].map((name) => `${name}, ${load}`),
    connections,
    to: `${ours}, ${load}`,
    toName: ours,
  });

/** A sentence about which of two serves more calls a second. */
function verdict({ slices }: Peers, peer: string, load: LoadName): string {
  const [own, other] = [ours, peer].map((name) => slicesOf(slices, `${name}, ${load}`, connections));
  if (!own || !other || other.length === 0) return "";
  const rate = spreadOf(ratios(own, other, ({ perSecond }) => perSecond)).median;
  const byTime = spreadOf(ratios(other, own, ({ cpuMicros }) => cpuMicros)).median;
  const [winner, loser, power] = rate >= 1 ? [ours, peer, 1] : [peer, ours, -1];
  return `- **${winner} is faster for ${load}**: ${(rate ** power).toFixed(2)} times the calls a second of ${loser} (by processor time ${(byTime ** power).toFixed(2)}).\n`;
}

/** A sentence about which of two takes less memory, with its defaults. */
function memory({ slices }: Peers, peer: string): string {
  const sizes = [ours, peer].flatMap((name) => {
    const own = slicesOf(slices, `${name}, new contexts`, connections);
    return own.length > 0 ? [{ name, bytes: spreadOf(own.map(({ residentBytes }) => residentBytes)).median }] : [];
  });
  const [less, more] = sizes.sort((a, b) => a.bytes - b.bytes);
  if (!less || !more) return "";
  return `- **${less.name} takes less memory**: ${mb(less.bytes)} MB resident after new contexts, where ${more.name} takes ${mb(more.bytes)} MB.\n`;
}

function settings({ bytes }: Peers, peer: string, version = "of unknown version"): string {
  const [own, other] = [ours, peer].map((name) => bytes[`${name}, repeated callers`]);
  if (own === undefined || other === undefined) return "";
  const kb = (count: number) => (count / 1_000).toFixed(1);
  return `- **${peer}** ${version} runs with its defaults. Its response has ${kb(other)} kB, where Tidegate's has ${kb(own)} kB.\n`;
}
