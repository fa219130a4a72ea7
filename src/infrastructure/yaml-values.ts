import { type Document, isAlias, isMap, isNode, isPair, isSeq, parseDocument } from "yaml";

/** Limit of values in a document after alias expansion. */
const maxValues = 1_000_000;

/** YAML options for all files: merge keys (`<<`) are allowed, duplicate keys are not. */
export const yamlOptions = { merge: true, uniqueKeys: true } as const;

/** Parses YAML into plain values. Throws for invalid text, with the position, and as `yamlValues` does. */
export function yamlIn(text: string): unknown {
  const document = parseDocument(text, yamlOptions);
  const [error] = document.errors;
  // The rest of the message is an excerpt of the text.
  if (error) throw new Error(`not valid YAML: ${error.message.split("\n")[0]?.replace(/:$/, "")}`);
  return yamlValues(document);
}

/** The plain values of a document. Throws if they exceed a million, as in an "alias bomb". */
export function yamlValues(document: Document): unknown {
  if (countOf(document.contents, new Map()) > maxValues) {
    throw new Error(`more than ${maxValues} values after alias expansion`);
  }
  // The parser's own limit counts uses of an alias.
  return document.toJS({ maxAliasCount: -1 });
}

/** Counts the values of a node. `anchors` contains the counts of earlier anchors. */
function countOf(node: unknown, anchors: Map<string, number>): number {
  if (isAlias(node)) return anchors.get(node.source) ?? 1;
  if (isPair(node)) return countOf(node.key, anchors) + countOf(node.value, anchors);
  const count =
    isMap(node) || isSeq(node) ? node.items.reduce<number>((sum, each) => sum + countOf(each, anchors), 1) : 1;
  if (isNode(node) && "anchor" in node && node.anchor) anchors.set(node.anchor, count);
  return count;
}
