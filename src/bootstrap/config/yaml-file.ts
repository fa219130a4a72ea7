import { readFileSync, statSync } from "node:fs";
import {
  type Document,
  type ErrorCode,
  isMap,
  isNode,
  isScalar,
  LineCounter,
  type Node,
  parseDocument,
  visit,
} from "yaml";
import { errorMessage } from "../../domain/error-message.ts";
import { ConfigError, type ConfigProblem } from "../../infrastructure/config-error.ts";
import { yamlOptions, yamlValues } from "../../infrastructure/yaml-values.ts";

/** The path of a value in a document: map keys and list indices from the root. */
export type Path = readonly PropertyKey[];

const largestFile = 256 * 1024;
/** Messages that replace the parser's own where those are meant for programmers. */
const faults: Partial<Record<ErrorCode, string>> = {
  MULTIPLE_DOCS: "more than one document (keep one, without ---)",
};
const variable = /\$?\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-((?:[^{}]|\$\{[^{}]*\})*))?\}/g;

/** A YAML file with its `${VARIABLES}` filled in and the position of each value. */
export class YamlFile {
  readonly #file: string;
  readonly #document: Document.Parsed;
  readonly #lines: LineCounter;
  /** Unset variables and invalid keys. Collected during parsing, to be reported with the other problems. */
  readonly problems: readonly ConfigProblem[];

  private constructor(file: string, document: Document.Parsed, lines: LineCounter, env: NodeJS.ProcessEnv) {
    this.#file = file;
    this.#document = document;
    this.#lines = lines;
    this.problems = this.#fillIn(env);
  }

  /** Parses the text of a file. Throws `ConfigError` for invalid YAML. */
  static parse(file: string, text: string, env: NodeJS.ProcessEnv): YamlFile {
    const lines = new LineCounter();
    const document = parseDocument(text, { ...yamlOptions, lineCounter: lines, prettyErrors: false });
    if (document.errors.length > 0) {
      throw new ConfigError(
        file,
        document.errors.map(({ pos, code, message }) => {
          const { line, col } = lines.linePos(pos[0]);
          return { place: `${file}:${line}:${col}`, path: "", fault: `not valid YAML: ${faults[code] ?? message}` };
        }),
      );
    }
    return new YamlFile(file, document, lines, env);
  }

  /** The content as plain values. An empty value (`key:`) is `undefined`, as if omitted. A list item may be `null`. */
  toJS(): unknown {
    try {
      return withoutNulls(yamlValues(this.#document));
    } catch (cause) {
      const fault = `unsupported YAML: ${errorMessage(cause)} (write the values out)`;
      throw new ConfigError(this.#file, [{ place: `${this.#file}:1:1`, path: "", fault }]);
    }
  }

  /** `file:line:column` of a value, or of the nearest existing value around it. */
  positionOf(path: Path): string {
    for (let length = path.length; length >= 0; length--) {
      const node = length === 0 ? this.#document.contents : this.#document.getIn(path.slice(0, length), true);
      if (isNode(node) && node.range) return this.#at(node.range[0]);
    }
    return `${this.#file}:1:1`;
  }

  /** `file:line:column` of a key in the map at `path`. */
  positionOfKey(path: Path, key: string): string {
    const map = path.length === 0 ? this.#document.contents : this.#document.getIn(path, true);
    const pair = isMap(map) ? map.items.find((item) => isScalar(item.key) && item.key.value === key) : undefined;
    const range = (pair?.key as Node | undefined)?.range;
    return range ? this.#at(range[0]) : this.positionOf(path);
  }

  #at(offset: number): string {
    const { line, col } = this.#lines.linePos(offset);
    return `${this.#file}:${line}:${col}`;
  }

  #fillIn(env: NodeJS.ProcessEnv): ConfigProblem[] {
    const problems: ConfigProblem[] = [];
    visit(this.#document, {
      Scalar: (role, node, ancestors) => {
        // Zod schemas drop it without an error.
        if (role === "key" && node.value === "__proto__") {
          const fault = "unsupported key __proto__ (choose another)";
          problems.push({ place: this.#at(node.range?.[0] ?? 0), path: pathText(pathOf(ancestors, node)), fault });
        }
        if (role === "key" || typeof node.value !== "string" || !node.value.includes("${")) return;
        const fill = (text: string): string =>
          text.replace(variable, (whole, name: string, fallback: string | undefined) => {
            if (whole.startsWith("$$")) return whole.slice(1);
            const value = env[name] || (fallback === undefined ? env[name] : fill(fallback));
            if (value !== undefined) return value;
            problems.push({
              place: this.#at(node.range?.[0] ?? 0),
              path: pathText(pathOf(ancestors, node)),
              fault: `environment variable ${name} is not set (set it, or add a default: \${${name}:-value})`,
            });
            return whole;
          });
        node.value = fill(node.value);
      },
    });
    return problems;
  }
}

/** A path in its written form: `sources[1].key`. */
export const pathText = (path: Path): string =>
  path.reduce<string>(
    (text, step) => (typeof step === "number" ? `${text}[${step}]` : `${text}${text && "."}${String(step)}`),
    "",
  );

/** Reads a text file of at most 256 KiB. Throws `ConfigError` if that fails. */
export function configText(file: string): string {
  try {
    const stats = statSync(file);
    if (stats.isDirectory()) throw new Error("is a folder");
    // Reading a pipe blocks until it has a writer.
    if (!stats.isFile()) throw new Error("is not a regular file");
    if (stats.size > largestFile) throw new Error(`is larger than ${largestFile / 1024} KiB`);
    return readFileSync(file, "utf8");
  } catch (cause) {
    const fault = `cannot be read: ${errorMessage(cause)} (expected a YAML file of at most ${largestFile / 1024} KiB)`;
    throw new ConfigError(file, [{ place: file, path: "", fault }]);
  }
}

function pathOf(ancestors: readonly unknown[], node: Node): Path {
  const chain = [...ancestors, node];
  return chain.flatMap((ancestor, index): PropertyKey[] => {
    const child = chain[index + 1];
    if (typeof ancestor !== "object" || ancestor === null || child === undefined) return [];
    if ("key" in ancestor && isScalar(ancestor.key)) return [ancestor.key.value as string];
    if ("items" in ancestor && Array.isArray(ancestor.items) && !isMap(ancestor))
      return [ancestor.items.indexOf(child)];
    return [];
  });
}

function withoutNulls(value: unknown): unknown {
  if (value === null) return undefined;
  if (Array.isArray(value)) return value.map((item) => withoutNulls(item) ?? null);
  if (typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutNulls(inner)]));
}
