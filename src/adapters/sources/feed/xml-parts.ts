import sax from "sax";
import type { Part } from "./path.ts";

type Element = Record<string, unknown>;
type Open = { readonly name: string; readonly element: Element | undefined; text: string };

const maxDepth = 100;

/**
 * Streaming XML reader: returns the elements at a path, each once it has ended, so that memory use depends on one
 * element and not on the document. Attributes and child elements become properties; repeated names become a list.
 * Throws if the document is not well-formed, is nested more than 100 levels deep, or has a DOCTYPE. Only the five
 * predefined entities exist.
 */
export class XmlParts {
  readonly #parser = sax.parser(true);
  readonly #path: readonly string[];
  readonly #found: (part: Part) => void;
  readonly #open: Open[] = [];
  #hasTop = false;
  /** How many levels of the path were found at most. */
  depthFound = 0;

  constructor(path: readonly string[], found: (part: Part) => void) {
    this.#path = path;
    this.#found = found;
    this.#parser.onerror = (error) => {
      throw new Error(`is not well-formed XML: ${(error.message.split("\n")[0] ?? "").toLowerCase()}`);
    };
    this.#parser.ondoctype = () => {
      throw new Error("has a DOCTYPE, which is not supported");
    };
    this.#parser.onopentag = ({ name, attributes }) => this.#begin(name, attributes);
    this.#parser.onclosetag = () => this.#end();
    this.#parser.ontext = (text) => this.#text(text);
    this.#parser.oncdata = (text) => this.#text(text);
  }

  write(text: string): void {
    this.#parser.write(text);
  }

  end(): void {
    this.#parser.close();
  }

  #begin(name: string, attributes: Readonly<Record<string, unknown>>): void {
    const depth = this.#open.length;
    if (depth === 0 && this.#hasTop) throw new Error("is not well-formed XML: it has two top elements");
    this.#hasTop = true;
    if (depth === maxDepth) throw new Error(`is nested deeper than ${maxDepth} levels`);
    const isKept = this.#open[depth - 1]?.element !== undefined || this.#isAt(depth, name);
    const element: Element | undefined = isKept ? Object.assign(Object.create(null), attributes) : undefined;
    this.#open.push({ name, element, text: "" });
  }

  /** Whether a starting element is at the path. Updates `depthFound`. */
  #isAt(depth: number, name: string): boolean {
    if (depth >= this.#path.length || this.#path[depth] !== name) return false;
    if (!this.#open.every((open, level) => open.name === this.#path[level])) return false;
    this.depthFound = Math.max(this.depthFound, depth + 1);
    return depth + 1 === this.#path.length;
  }

  #end(): void {
    const { name, element, text } = this.#open.pop() ?? {};
    if (!element || name === undefined) return;
    const value = partOf(element, text?.trim() ?? "");
    const above = this.#open.at(-1)?.element;
    if (above) add(above, name, value);
    else this.#found({ value, of: undefined });
  }

  #text(text: string): void {
    const open = this.#open.at(-1);
    if (open?.element) open.text += text;
  }
}

function partOf(element: Element, text: string): unknown {
  if (text === "") return element;
  for (const _ in element) {
    element["#text"] = text;
    return element;
  }
  return text;
}

/** An attribute and an element with the same name also become a list. */
function add(element: Element, name: string, value: unknown): void {
  if (!Object.hasOwn(element, name)) element[name] = value;
  else if (Array.isArray(element[name])) element[name].push(value);
  else element[name] = [element[name], value];
}
