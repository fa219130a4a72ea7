import { parentPort, workerData } from "node:worker_threads";
import { within } from "../../application/deadline.ts";
import { WatchedFile } from "../sqlite/watched-file.ts";
import { type Database, openDatabase, type Place } from "./database.ts";
import { type Answerers, type FileState, noMore, type Reply, type Request } from "./requests.ts";
import { SqlActivityLog, Unkeepable } from "./sql-activity-log.ts";
import { SqlHistory } from "./sql-history.ts";
import { logMark } from "./sqlite.ts";

/** So long a call waits for the database to be opened; making its tables may take longer. */
const longestOpenMs = 2_000;

type Opened = Answerers & { readonly database: Database; readonly watch: WatchedFile | undefined };

let opening: Promise<Opened> | undefined;
let opened: Opened | undefined;
const underWay = new Set<Promise<void>>();

/** The log, opened when it is first asked for, and anew where that failed. */
async function answerers(): Promise<Opened> {
  if (opened) return opened;
  opening ??= open().finally(() => {
    opening = undefined;
  });
  const underWay = opening;
  return within(longestOpenMs, () => underWay, "its tables are still being made");
}

async function open(): Promise<Opened> {
  const place: Place = workerData;
  const database = await openDatabase(place);
  const told = (fault: string | undefined) => parentPort?.postMessage({ fault } satisfies FileState);
  const watch = place.kind === "sqlite" ? new WatchedFile(place.file, logMark, told) : undefined;
  opened = { database, watch, log: new SqlActivityLog(database), history: new SqlHistory(database) };
  return opened;
}

async function answer({ id, of, method, given }: Request): Promise<Reply> {
  try {
    const { watch, ...all } = await answerers();
    watch?.look();
    watch?.demand();
    const answerer = all[of] as unknown as Record<string, (...given: unknown[]) => Promise<unknown>>;
    return { id, value: await answerer[method]?.(...given) };
  } catch (error) {
    return { id, reason: textOf(error), isRefusal: error instanceof Unkeepable };
  }
}

/** An error of several addresses that were tried says nothing itself. */
function textOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(textOf).join("; ");
  return error instanceof Error ? error.message : String(error);
}

async function close(): Promise<void> {
  await Promise.allSettled(underWay);
  await opening?.catch(() => {});
  const { database, watch } = opened ?? {};
  const destroy = async () => database?.destroy();
  await (watch ? watch.close(destroy) : destroy());
  parentPort?.close();
}

parentPort?.on("message", (request: Request | typeof noMore) => {
  if (request === noMore) return void close();
  const answered = answer(request).then((reply) => {
    underWay.delete(answered);
    parentPort?.postMessage(reply);
  });
  underWay.add(answered);
});
