import { type Command, InvalidArgumentError, Option } from "commander";
import { changeOrigins } from "../../../domain/admin/change.ts";
import { StoreDataInvalid } from "../../../domain/errors.ts";
import { instantText } from "../../../domain/evaluation/evaluation-context.ts";
import { changeTools, changeTypes, type Event, type EventFilter } from "../../../domain/events/event.ts";
import type { TimeZone } from "../../../domain/targeting/wall-clock.ts";
import { dateForms, endOf, startOf, writtenDate } from "../../dates.ts";
import { type EventFormatName, eventFormats, written } from "../../event-formats.ts";
import { eventJson } from "../../event-json.ts";
import { cliAuthor } from "../cli-author.ts";
import type { CommandContext } from "../command-context.ts";
import { withJson, withJsonLines } from "../json-help.ts";

const maxListed = 1_000;

/** `tidegate events`: lists, exports and verifies the event log, and reverts changes. */
export function define(command: Command, { onStores, results, terminal }: CommandContext): void {
  const event = {
    component: "features",
    data: {},
    email: null,
    environment: "production",
    message: "active_features: feature_4 added",
    id: "...",
    created_at: "1795078800.000",
    time: "2026-11-17T09:00:00.000Z",
    recorded_by: "cli:anna",
    position: 12,
    hash: "...",
    store: "features",
    key: "active_features",
    revision: "...",
  };
  withJsonLines(filtered(command.command("list").description("print events, newest first, one per line")), event)
    .option("--limit <NUMBER>", `at most this many, up to ${maxListed}`, wholeNumber, 100)
    .action(({ limit, ...filter }: Filter & { limit: number }) =>
      onStores(async ({ readEvents, zone }) => {
        const { events, next } = await readEvents.page(filterIn(filter, zone), limit);
        for (const event of events) results.print(eventJson(event), lineOf(event));
        if (next !== undefined) terminal.note("older events are omitted (use a higher --limit, or export)");
      }),
    );

  filtered(command.command("export").description("write events to standard output, oldest first"))
    .addOption(new Option("--format <FORMAT>", "format").choices(Object.keys(eventFormats)).default("ndjson"))
    .action(({ format, ...filter }: Filter & { format: EventFormatName }) =>
      onStores(async ({ readEvents, zone }) => {
        const pages = await readEvents.all(filterIn(filter, zone));
        await terminal.write(written(pages, format));
      }),
    );

  const reverted = { reverted: "...", event: "...", key: "tidegate:killed", added: [], removed: ["new_menu"] };
  withJson(command.command("revert").argument("<id>", "id or position of the event"), reverted)
    .description("revert the change of an event, as a new event; refused if the same was changed since")
    .option("--dry-run", "print what would change, and change nothing")
    .action((id: string, { dryRun = false }: { dryRun?: boolean }) =>
      onStores(async ({ revertEvent }) => {
        const { event, ...revert } = dryRun
          ? await revertEvent.preview(id)
          : await revertEvent.revert(id, cliAuthor(terminal));
        const { key, added, removed, after } = revert;
        const changes = [
          ...added.map((feature) => `+${feature}`),
          ...removed.map((feature) => `-${feature}`),
          ...(after === undefined ? [] : [JSON.stringify(after)]),
        ];
        results.print(
          { ...revert, event: event?.id ?? null, ...(dryRun && { dryRun }) },
          `${dryRun ? "would revert" : "reverted"} ${revert.reverted}: ${key} ${changes.join(" ") || "unchanged"}`,
        );
      }),
    );
  withJson(command.command("head"), { position: 12, hash: "..." })
    .description("print the position and hash of the last event; keep them elsewhere to detect a shortened log")
    .action(() =>
      onStores(async ({ readEvents }) => {
        const { position, hash } = await readEvents.head();
        results.print({ position, hash }, `${position} ${hash}`);
      }),
    );
  withJson(command.command("verify"), { from: 1, to: 12, head: "..." })
    .description("verify the hash chain of the log; with --head also that its end is not cut off")
    .option("--head <HASH>", "hash that `events head` printed earlier", hashIn)
    .action(({ head }: { head?: string }) =>
      onStores(async ({ readEvents }) => {
        const proof = await readEvents.verify(head === undefined ? undefined : { hash: head });
        if (!proof.isSound) {
          throw new StoreDataInvalid(`the event log was altered at position ${proof.position}: ${proof.fault}`);
        }
        const from = proof.start.position + 1;
        const { position: to, hash } = proof.head;
        results.print(
          { from, to, head: hash },
          `verified ${from > 1 ? `events ${from} to ${to}` : `up to event ${to}`}, head ${hash}`,
        );
      }),
    );
}

const filtered = (command: Command): Command =>
  command
    .option("--component <NAME>", "of exactly this component")
    .option("--environment <NAME>", "of exactly this environment")
    .option("--email <ADDRESS>", "with exactly this email address")
    .option("--recorded-by <NAME>", "recorded by exactly this credential")
    .option("--message <TEXT>", "with this text in the message, in any case")
    .option("--feature <KEY>", "changes of this feature")
    .option("--key <KEY>", "changes of this set, rule or token")
    .addOption(new Option("--type <TYPE>", "changes of these").choices(changeTypes))
    .addOption(new Option("--origin <ORIGIN>", "changes of this origin").choices(changeOrigins))
    .addOption(new Option("--via <TOOL>", "changes made with this").choices(changeTools))
    .option("--from <DATE>", `at or after: ${dateForms}`, date)
    .option("--to <DATE>", "before this time; a date is its end", date);

/** The filter options as text: dates depend on the configured time zone, which is loaded later. */
type Filter = Omit<EventFilter, "from" | "to"> & { readonly from?: string; readonly to?: string };

function filterIn({ from, to, ...filter }: Filter, zone: TimeZone): EventFilter {
  const start = from === undefined ? undefined : startOf(from, zone);
  const end = to === undefined ? undefined : endOf(to, zone);
  return { ...filter, ...(start !== undefined && { from: start }), ...(end !== undefined && { to: end }) };
}

function date(text: string): string {
  if (writtenDate(text, anyZone)) return text;
  throw new InvalidArgumentError(`Expected ${dateForms}.`);
}

const anyZone: TimeZone = () => ({ from: Number.NEGATIVE_INFINITY, until: Number.POSITIVE_INFINITY, ahead: 0 });

function hashIn(text: string): string {
  if (/^[0-9a-f]{64}$/.test(text)) return text;
  throw new InvalidArgumentError("Expected the 64 hexadecimal digits of a hash.");
}

function wholeNumber(text: string): number {
  const number = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (number >= 1 && number <= maxListed) return number;
  throw new InvalidArgumentError(`Expected a whole number from 1 to ${maxListed}.`);
}

function lineOf({ position, at, environment, component, recordedBy, email, message }: Event): string {
  const line = [position, instantText(at), environment, component, recordedBy, email, message].join("  ");
  // Escapes control characters: recorded text must not send control sequences to the terminal.
  return line.replaceAll(/\p{Cc}/gu, (character) => JSON.stringify(character).slice(1, -1));
}
