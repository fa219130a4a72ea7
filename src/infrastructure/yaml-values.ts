import { type Document, isAlias, isMap, isNode, isPair, isSeq, parseDocument } from "yaml";

/** Values of a document with all aliases written out. */
const mostValues = 1_000_000;

/** How YAML is read everywhere: with merge keys (`<<`), and each key once. */
export const yamlOptions = { merge: true, uniqueKeys: true } as const;

/** The plain values of a text of YAML. Throws, with the place, for a text that is none, and as `yamlValues` does. */
export function yamlIn(text: string): unknown {
  const document = parseDocument(text, yamlOptions);
  const [error] = document.errors;
  // What follows is an excerpt of the text.
  if (error) throw new Error(`not valid YAML: ${error.message.split("\n")[0]?.replace(/:$/, "")}`);
  return yamlValues(document);
}

/** The plain values of a document. Throws for one that would come to more than a million values, as an "alias bomb" does. */
export function yamlValues(document: Document): unknown {
  if (countOf(document.contents, new Map()) > mostValues) {
    throw new Error(`it has more than ${mostValues} values with its aliases written out`);
  }
  // The parser's own bound is on how often an alias is used.
  return document.toJS({ maxAliasCount: -1 });
}

/** Counts the values of a node. `anchors` holds the counts of those before it. */
function countOf(node: unknown, anchors: Map<string, number>): number {
  if (isAlias(node)) return anchors.get(node.source) ?? 1;
  if (isPair(node)) return countOf(node.key, anchors) + countOf(node.value, anchors);
  const count =
    isMap(node) || isSeq(node) ? node.items.reduce<number>((sum, each) => sum + countOf(each, anchors), 1) : 1;
  if (isNode(node) && "anchor" in node && node.anchor) anchors.set(node.anchor, count);
  return count;
}
