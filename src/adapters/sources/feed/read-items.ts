import type { Item, ItemFault } from "../../../domain/feeds/item.ts";
import { jsonParts } from "./json-parts.ts";
import { type ItemMapper, itemMapper, type Mapping } from "./mapping.ts";
import { type Part, partsAt } from "./path.ts";
import { XmlParts } from "./xml-parts.ts";

export const formats = ["json", "xml"] as const;
export type Format = (typeof formats)[number];

/** A document as received, in chunks of any size. */
export type RawDocument = {
  readonly chunks: readonly Uint8Array[];
  readonly contentType: string;
  /** Default: derived from the content type or the first character. */
  readonly format: Format | undefined;
};

/** The valid items of a document, and the faults of the others. */
export type ReadItems = {
  readonly items: readonly Item[];
  readonly invalidCount: number;
  readonly faults: readonly ItemFault[];
  readonly invalidIds: readonly string[];
};

const maxFaults = 100;
/** Maximum length of an XML declaration, which names the encoding, in bytes. */
const maxPrologLength = 200;

/**
 * Reads the items of a document. Throws if the whole document is unusable; the message follows the words "the
 * document".
 */
export function readItems(document: RawDocument, mapping: Mapping): ReadItems {
  const mapper = itemMapper(mapping);
  const items = new Map<string, Item>();
  const faults: ItemFault[] = [];
  const invalidIds: string[] = [];
  let invalidCount = 0;
  const reject = (fault: ItemFault) => {
    invalidCount += 1;
    if (faults.length < maxFaults) faults.push(fault);
    if (fault.id !== null) invalidIds.push(fault.id);
  };
  const addItem = (part: Part) => {
    const item = mapper.itemOf(part);
    if ("fault" in item) reject(item);
    else if (items.has(item.id)) reject({ id: item.id, fault: "is listed twice; the first one is used" });
    else items.set(item.id, item);
  };
  if (formatOf(document) === "xml") readXml(document, mapper, addItem);
  else for (const part of jsonParts([...textOf(document)].join(""), mapper.items)) addItem(part);
  if (items.size === 0 && faults[0]) {
    throw new Error(`has no valid item of ${invalidCount}; the first one ${faults[0].fault}`);
  }
  return { items: [...items.values()], invalidCount, faults, invalidIds };
}

function readXml(document: RawDocument, { items, levelsAbove }: ItemMapper, addItem: (part: Part) => void): void {
  const built = Math.max(1, items.length - levelsAbove);
  const parts = new XmlParts(items.slice(0, built), (part) => {
    for (const each of partsAt(part, items.slice(built))) addItem(each);
  });
  for (const text of textOf(document)) parts.write(text);
  parts.end();
  // In XML, an empty list equals an absent one, so only the elements above it are required.
  if (parts.depthFound < built - 1) throw new Error(`has no ${items.slice(0, built - 1).join("/")}`);
}

/** Content types that do not determine the format. */
const anyFormat = /^(text\/plain|application\/octet-stream|)\s*(;|$)/i;

/** The configured format, or that of the content type, or that of the first character. */
function formatOf(document: RawDocument): Format {
  const { format, contentType } = document;
  if (format) return format;
  if (/^[^;]*[/+]json\b/i.test(contentType)) return "json";
  if (/^[^;]*[/+]xml\b/i.test(contentType)) return "xml";
  if (!anyFormat.test(contentType))
    throw new Error("has a Content-Type that is neither JSON nor XML; set the option format");
  for (const text of textOf(document)) {
    const [first] = text.trimStart();
    if (first === "<") return "xml";
    if (first === "{" || first === "[") return "json";
    if (first !== undefined) break;
  }
  throw new Error("is neither JSON nor XML");
}

/** Decodes the text: in the encoding of its first bytes or content type, or in UTF-8. Throws for invalid bytes. */
function* textOf({ chunks, contentType }: RawDocument): Generator<string> {
  const decoder = decoderOf(encodingOf(prologOf(chunks), contentType));
  try {
    for (const chunk of chunks) yield decoder.decode(chunk, { stream: true });
    yield decoder.decode();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new Error(`is not in ${decoder.encoding}`);
  }
}

/**
 * The encoding of a document. A byte order mark takes precedence. Otherwise, XML and JSON start with an ASCII
 * character, so the position of a zero byte identifies UTF-16.
 */
function encodingOf(start: string, contentType: string): string {
  if (start.startsWith("\xef\xbb\xbf")) return "utf-8";
  if (/^(\xff\xfe|[\s<{[]\0)/.test(start)) return "utf-16le";
  if (/^(\xfe\xff|\0[\s<{[])/.test(start)) return "utf-16be";
  const declared = /^<\?xml[^>]*encoding=["']([\w-]+)["']/.exec(start)?.[1];
  const charset = /charset="?([\w-]+)/i.exec(contentType)?.[1];
  return charset ?? declared ?? "utf-8";
}

/** The first bytes, one character per byte. */
function prologOf(chunks: readonly Uint8Array[]): string {
  let start = "";
  for (const chunk of chunks) {
    if (start.length >= maxPrologLength) break;
    start += Buffer.from(chunk.subarray(0, maxPrologLength)).toString("latin1");
  }
  return start;
}

function decoderOf(encoding: string) {
  try {
    return new TextDecoder(encoding, { fatal: true });
  } catch {
    throw new Error("has an unknown encoding");
  }
}
