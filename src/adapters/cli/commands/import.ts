import { basename } from "node:path";
import { Command } from "commander";
import type { Imported, ReadLine } from "../../../application/transfer/import-data.ts";
import { ChangeRejected } from "../../../domain/errors.ts";
import { tokenGrammar } from "../../../domain/evaluation/token.ts";
import type { SeedPage } from "../../../infrastructure/redis/seed-lines.ts";
import { cliAuthor } from "../cli-actor.ts";
import { lineIn, textOf } from "../data-lines.ts";
import { LineFile } from "../line-file.ts";
import { counts, Progress } from "../progress.ts";
import type { Terminal } from "../terminal.ts";
import type { OnStores } from "../use-cases.ts";

type Options = { fromRedis?: string | true; tokensFrom?: string; again?: true };
type Named = { readonly name: string; readonly file: LineFile };

/** `tidegate import`: imports an export file, or the data of another Redis. */
export const importCommand = (onStores: OnStores, terminal: Terminal): Command =>
  new Command("import")
    .description("put sets, tokens, descriptions and rules of features into the stores; see docs/import-and-export.md")
    .argument("[file]", "what `tidegate export` wrote, or lines like it; - is standard input")
    .option(
      "--from-redis [url]",
      "instead: what a Redis holds under the keys that the README tells; else IMPORT_REDIS_URL",
    )
    .option("--tokens-from <url>", "the Redis that holds the tokens; else IMPORT_TOKENS_REDIS_URL, else the same one")
    .option("--again", "also what was imported before")
    .action((path: string | undefined, options: Options) =>
      onStores(async ({ importData }) => {
        const progress = new Progress(terminal.stderr);
        try {
          const { name, file } = await opened(path, options, progress, terminal);
          await using _ = file;
          const from = { name, digest: await file.digest(), read: () => linesOf(file) };
          const imported = await importData.import(from, cliAuthor(terminal), {
            again: options.again === true,
            told: ({ doing, line, of }) => progress.tell(`${doing} lines`, line, of),
          });
          progress.end();
          tell(imported, terminal);
        } finally {
          progress.end();
        }
      }),
    );

async function opened(
  path: string | undefined,
  options: Options,
  progress: Progress,
  terminal: Terminal,
): Promise<Named> {
  const { fromRedis, tokensFrom } = options;
  if ((path === undefined) === (fromRedis === undefined)) {
    throw new ChangeRejected("name a file, or - for standard input, or --from-redis.");
  }
  if (path === "-") return { name: "standard input", file: await LineFile.copyOf(terminal.stdin) };
  if (path !== undefined) return { name: basename(path), file: await LineFile.open(path) };
  const url = fromRedis === true ? terminal.env["IMPORT_REDIS_URL"] : withoutPassword(fromRedis, "IMPORT_REDIS_URL");
  if (!url) throw new ChangeRejected("there is no Redis to import from; set IMPORT_REDIS_URL to its URL.");
  const tokensUrl = withoutPassword(tokensFrom, "IMPORT_TOKENS_REDIS_URL") ?? terminal.env["IMPORT_TOKENS_REDIS_URL"];
  // Other commands do not load the Redis client.
  const { seedLines } = await import("../../../infrastructure/redis/seed-lines.ts");
  return { name: "Redis", file: await LineFile.copyOf(texts(seedLines(url, tokensUrl ?? url), progress, terminal)) };
}

/** Rejects a URL with a password, because process lists show arguments. */
function withoutPassword(url: string | undefined, variable: string): string | undefined {
  if (url !== undefined && URL.canParse(url) && new URL(url).password !== "") {
    throw new ChangeRejected(`others can see a password in an argument; set ${variable} to this URL instead.`);
  }
  return url;
}

/** The lines of another Redis in the format of an export file. */
async function* texts(pages: AsyncIterable<SeedPage>, progress: Progress, terminal: Terminal): AsyncGenerator<string> {
  let read = 0;
  const leftOut = { members: 0, tokens: 0 };
  for await (const { lines, members = 0, tokens = 0 } of pages) {
    yield lines.map((line) => `${textOf(line)}\n`).join("");
    read += lines.length;
    leftOut.members += members;
    leftOut.tokens += tokens;
    progress.tell("reading keys", read);
  }
  progress.end();
  if (leftOut.members > 0) {
    terminal.note(`${counts(leftOut.members)} members of sets were left out: they can be no feature keys`);
  }
  if (leftOut.tokens > 0) {
    terminal.note(`${counts(leftOut.tokens)} tokens were left out: a token has ${tokenGrammar}; issue new ones`);
  }
}

async function* linesOf(file: LineFile): AsyncGenerator<readonly ReadLine[]> {
  for await (const lines of file.lines()) {
    yield lines.map(({ number, text }) => ({
      number,
      ...(text === undefined ? { fault: "it is longer than 16 MiB, or no UTF-8; write it anew." } : lineIn(text)),
    }));
  }
}

function tell({ sets, tokens, entries, rules, records, skipped }: Imported, terminal: Terminal): void {
  const kept = rules > 0 ? `, rules ${counts(rules)}` : "";
  terminal.print(
    `imported: sets ${counts(sets)}, tokens ${counts(tokens)}, descriptions of features ${counts(entries)}${kept}`,
  );
  if (skipped > 0) terminal.print(`${counts(skipped)} of them were imported before; import them anew with --again`);
  if (records > 0) {
    terminal.print(
      `${counts(records)} records wait in the stores until a service moves them into the event log, some thousand a second`,
    );
  }
}
