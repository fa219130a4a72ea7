import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { extname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { brotliDecompress } from "node:zlib";

/** Content codings in which a file can be sent; `identity` is uncompressed. */
export type Coding = "br" | "gzip" | "identity";

/** A file of the page, in each coding that exists. */
export type PageFile = {
  readonly type: string;
  /** The file never changes under its name, which contains a hash of its content. */
  readonly isImmutable: boolean;
  readonly etag: string;
  readonly contents: ReadonlyMap<Coding, Uint8Array>;
};

/** The path of `index.html`, which links the others. */
export const indexPath = "index.html";

const types: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".woff2": "font/woff2",
};
const codings: Readonly<Record<string, Coding>> = { ".br": "br", ".gz": "gzip" };
const decompress = promisify(brotliDecompress);

/** Where `make backoffice` writes the page, in the clone as in the package. */
const builtFolder = resolve(import.meta.dirname, "../../../../backoffice/dist");

/** The built files of the backoffice page. Reads them once, on the first request. */
export class BuiltPage {
  readonly #folder: string;
  readonly #basePath: string;
  #files: Promise<ReadonlyMap<string, PageFile>> | undefined;

  constructor(basePath: string, folder: string = builtFolder) {
    this.#folder = folder;
    this.#basePath = basePath;
  }

  /** All files by their path below `/backoffice/`. Empty if the page is not built. */
  async files(): Promise<ReadonlyMap<string, PageFile>> {
    this.#files ??= this.#read();
    const files = await this.#files;
    // It may be built while the service runs.
    if (files.size === 0) this.#files = undefined;
    return files;
  }

  async #read(): Promise<ReadonlyMap<string, PageFile>> {
    const entries = await readdir(this.#folder, { recursive: true, withFileTypes: true }).catch(() => []);
    const names = entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(this.#folder.length + 1));
    if (!names.includes(`${indexPath}.br`)) return new Map();
    const files = new Map<string, PageFile>();
    for (const [path, variants] of Map.groupBy(names, pathOf)) {
      const contents = new Map<Coding, Uint8Array>();
      for (const name of variants) {
        contents.set(codings[extname(name)] ?? "identity", await readFile(join(this.#folder, name)));
      }
      const brotli = contents.get("br");
      if (brotli && !contents.has("identity")) contents.set("identity", await decompress(brotli));
      files.set(path, file(path, path === indexPath ? below(this.#basePath, contents) : contents));
    }
    return files;
  }
}

/** The path of a file without the extension of its coding. */
const pathOf = (name: string): string => (Object.hasOwn(codings, extname(name)) ? name.slice(0, -3) : name);

function file(path: string, contents: ReadonlyMap<Coding, Uint8Array>): PageFile {
  const hash = createHash("sha256").update(contents.get("identity") ?? new Uint8Array());
  return {
    type: types[extname(path)] ?? "application/octet-stream",
    isImmutable: path.startsWith("assets/"),
    etag: hash.digest("base64url").slice(0, 22),
    contents,
  };
}

/** The index for clients that see the service below a base path: its links are absolute. */
function below(basePath: string, contents: ReadonlyMap<Coding, Uint8Array>): ReadonlyMap<Coding, Uint8Array> {
  if (basePath === "") return contents;
  const html = Buffer.from(contents.get("identity") ?? []).toString("utf8");
  return new Map([["identity", Buffer.from(html.replaceAll('"/backoffice/', `"${basePath}/backoffice/`))]]);
}
