import { Command, InvalidArgumentError, Option } from "commander";
import { StoreDataInvalid } from "../../../domain/errors.ts";
import type { Event, EventFilter } from "../../../domain/events/event.ts";
import type { TimeZone } from "../../../domain/targeting/wall-clock.ts";
import { dateForms, endOf, startOf, writtenDate } from "../../dates.ts";
import { type EventFormatName, eventFormats, written } from "../../http/events/event-formats.ts";
import type { Terminal } from "../terminal.ts";
import type { OnStores } from "../use-cases.ts";

const mostListed = 1_000;

/** `tidegate events`: lists, exports and verifies the event log. Read-only. */
export function eventsCommand(onStores: OnStores, terminal: Terminal): Command {
  const command = new Command("events").description("read the log of what happened");

  filtered(command.command("list").description("print events, newest first, a line each"))
    .option("--limit <number>", `at most so many, up to ${mostListed}`, wholeNumber, 100)
    .action(({ limit, ...filter }: Filter & { limit: number }) =>
      onStores(async ({ readActivity, zone }) => {
        const { events, next } = await readActivity.page(filterIn(filter, zone), limit);
        for (const event of events) terminal.print(lineOf(event));
        if (next !== undefined) terminal.note(`older ones are left out; see them with a higher --limit, or export`);
      }),
    );

  filtered(command.command("export").description("write events to standard output, oldest first"))
    .addOption(
      new Option("--format <format>", "how they are written").choices(Object.keys(eventFormats)).default("ndjson"),
    )
    .action(({ format, ...filter }: Filter & { format: EventFormatName }) =>
      onStores(async ({ readActivity, zone }) => {
        const pages = await readActivity.all(filterIn(filter, zone));
        await terminal.write(written(pages, format));
      }),
    );

  command
    .command("head")
    .description("print where the log ends: the position and the hash of its last event; keep them elsewhere")
    .action(() =>
      onStores(async ({ readActivity }) => {
        const { position, hash } = await readActivity.head();
        terminal.print(`${position} ${hash}`);
      }),
    );
  command
    .command("verify")
    .description(
      "prove that the log is as it was written; what was cut off its end is found only with a head that was kept",
    )
    .option("--head <hash>", "the hash that `events head` printed once", hashIn)
    .action(({ head }: { head?: string }) =>
      onStores(async ({ readActivity }) => {
        const proof = await readActivity.verify(head === undefined ? undefined : { hash: head });
        if (!proof.isSound)
          throw new StoreDataInvalid(`the log is not as it was written at position ${proof.position}: ${proof.fault}`);
        const { start, head: end } = proof;
        const range =
          start.position > 0 ? `events ${start.position + 1} to ${end.position}` : `up to event ${end.position}`;
        terminal.print(`verified ${range}, head ${end.hash}`);
      }),
    );
  return command;
}

const filtered = (command: Command): Command =>
  command
    .option("--component <name>", "exactly this component")
    .option("--environment <name>", "exactly this environment")
    .option("--email <address>", "exactly this address")
    .option("--recorded-by <credential>", "exactly this credential")
    .option("--message <text>", "stands somewhere in the message, in whatever case")
    .option("--feature <feature>", "the feature that a change was of")
    .option("--key <key>", "the set, or other thing, that a change was of")
    .option("--from <date>", `not before: ${dateForms}`, date)
    .option("--to <date>", "before; a date is its end", date);

/** The filter options as text: dates depend on the configured time zone, which is loaded later. */
type Filter = Omit<EventFilter, "from" | "to"> & { readonly from?: string; readonly to?: string };

function filterIn({ from, to, ...filter }: Filter, zone: TimeZone): EventFilter {
  const start = from === undefined ? undefined : startOf(from, zone);
  const end = to === undefined ? undefined : endOf(to, zone);
  return { ...filter, ...(start !== undefined && { from: start }), ...(end !== undefined && { to: end }) };
}

function date(text: string): string {
  if (writtenDate(text, anyZone)) return text;
  throw new InvalidArgumentError(`Write ${dateForms}.`);
}

const anyZone: TimeZone = () => ({ from: Number.NEGATIVE_INFINITY, until: Number.POSITIVE_INFINITY, ahead: 0 });

function hashIn(text: string): string {
  if (/^[0-9a-f]{64}$/.test(text)) return text;
  throw new InvalidArgumentError("Write the 64 hexadecimal digits of a hash.");
}

function wholeNumber(text: string): number {
  const number = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (number >= 1 && number <= mostListed) return number;
  throw new InvalidArgumentError(`Write a whole number from 1 to ${mostListed}.`);
}

function lineOf({ position, at, environment, component, recordedBy, email, message }: Event): string {
  const line = [position, new Date(at).toISOString(), environment, component, recordedBy, email, message].join("  ");
  // Escapes control characters: recorded text must not send control sequences to the terminal.
  return line.replaceAll(/\p{Cc}/gu, (character) => JSON.stringify(character).slice(1, -1));
}
