import { basename } from "node:path";
import type { Command } from "commander";
import type { Imported, ReadLine } from "../../../application/transfer/import-data.ts";
import { tokenGrammar } from "../../../domain/evaluation/token.ts";
import type { LegacyPage } from "../../../infrastructure/redis/legacy-redis-lines.ts";
import { cliAuthor } from "../cli-author.ts";
import type { CommandContext } from "../command-context.ts";
import { lineIn, lineText } from "../data-lines.ts";
import { withJson } from "../json-help.ts";
import { LineFile } from "../line-file.ts";
import { counts, Progress } from "../progress.ts";
import type { Terminal } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";

type Options = { fromRedis?: string | true; tokensFrom?: string; again?: true };
type Named = { readonly name: string; readonly file: LineFile };

/** `tidegate import`: imports an export file, or the data of another Redis. */
export const define = (command: Command, { onStores, results, terminal }: CommandContext): void =>
  void withJson(command, { sets: 2, tokens: 1, descriptions: 1, rules: 0, skipped: 0, records: 4 })
    .addHelpText("after", "\nSee docs/how-to/import-and-export.md.")
    .argument("[file]", "file of `tidegate export`, or - for standard input")
    .option("--from-redis [URL]", "instead of a file, import the keys of another Redis (env: IMPORT_REDIS_URL)")
    .option(
      "--tokens-from <URL>",
      "Redis that holds the tokens (env: IMPORT_TOKENS_REDIS_URL; default: the same Redis)",
    )
    .option("--again", "also import what was imported before")
    .action((path: string | undefined, options: Options) =>
      onStores(async ({ importData }) => {
        const progress = new Progress(terminal.stderr);
        try {
          const { name, file } = await opened(path, options, progress, terminal);
          await using _ = file;
          const from = { name, digest: await file.digest(), read: () => linesOf(file) };
          const imported = await importData(from, cliAuthor(terminal), {
            again: options.again === true,
            onProgress: ({ phase, line, of }) => progress.report(`${phase} lines`, line, of),
          });
          progress.end();
          const { sets, tokens, entries, rules, records, skipped } = imported;
          results.print({ sets, tokens, descriptions: entries, rules, skipped, records }, ...textsOf(imported));
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
    throw new UsageError("name a file, or - for standard input, or --from-redis");
  }
  if (path === "-") return { name: "standard input", file: await LineFile.copyOf(terminal.stdin) };
  if (path !== undefined) return { name: basename(path), file: await LineFile.open(path) };
  const url = fromRedis === true ? terminal.env["IMPORT_REDIS_URL"] : withoutPassword(fromRedis, "IMPORT_REDIS_URL");
  if (!url) throw new UsageError("--from-redis has no URL (set IMPORT_REDIS_URL)");
  const tokensUrl = withoutPassword(tokensFrom, "IMPORT_TOKENS_REDIS_URL") ?? terminal.env["IMPORT_TOKENS_REDIS_URL"];
  // Other commands do not load the Redis client.
  const { legacyRedisLines } = await import("../../../infrastructure/redis/legacy-redis-lines.ts");
  return {
    name: "Redis",
    file: await LineFile.copyOf(texts(legacyRedisLines(url, tokensUrl ?? url), progress, terminal)),
  };
}

/** Rejects a URL with a password, because process lists show arguments. */
function withoutPassword(url: string | undefined, variable: string): string | undefined {
  if (url !== undefined && URL.canParse(url) && new URL(url).password !== "") {
    throw new UsageError(`process lists show a password in an argument (set ${variable} to this URL instead)`);
  }
  return url;
}

/** The lines of another Redis in the format of an export file. */
async function* texts(
  pages: AsyncIterable<LegacyPage>,
  progress: Progress,
  terminal: Terminal,
): AsyncGenerator<string> {
  let read = 0;
  const omitted = { members: 0, tokens: 0 };
  for await (const { lines, members = 0, tokens = 0 } of pages) {
    yield lines.map((line) => `${lineText(line)}\n`).join("");
    read += lines.length;
    omitted.members += members;
    omitted.tokens += tokens;
    progress.report("reading keys", read);
  }
  progress.end();
  if (omitted.members > 0) {
    terminal.note(`omitted set members that are not valid feature keys: ${counts(omitted.members)}`);
  }
  if (omitted.tokens > 0) {
    terminal.note(`omitted unusable tokens: ${counts(omitted.tokens)} (a token has ${tokenGrammar}; issue new ones)`);
  }
}

async function* linesOf(file: LineFile): AsyncGenerator<readonly ReadLine[]> {
  for await (const lines of file.lines()) {
    yield lines.map(({ number, text }) => ({
      number,
      ...(text === undefined ? { fault: "longer than 16 MiB or not UTF-8 (split or convert it)." } : lineIn(text)),
    }));
  }
}

function textsOf({ sets, tokens, entries, rules, records, skipped }: Imported): readonly string[] {
  const ofRules = rules > 0 ? `, rules ${counts(rules)}` : "";
  return [
    `imported: sets ${counts(sets)}, tokens ${counts(tokens)}, descriptions of features ${counts(entries)}${ofRules}`,
    ...(skipped > 0 ? [`imported before: ${counts(skipped)} of them (import them again with --again)`] : []),
    ...(records > 0
      ? [`records that wait for the event log: ${counts(records)} (a service relays some thousand per second)`]
      : []),
  ];
}
