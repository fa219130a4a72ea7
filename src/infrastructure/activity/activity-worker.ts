import { parentPort, workerData } from "node:worker_threads";
import { within } from "../../application/deadline.ts";
import { type Database, openDatabase } from "./database.ts";
import { type Answerers, noMore, type Reply, type Request } from "./requests.ts";
import { SqlActivityLog, Unkeepable } from "./sql-activity-log.ts";
import { SqlHistory } from "./sql-history.ts";

/** So long a call waits for the database to be opened; making its tables may take longer. */
const longestOpenMs = 2_000;

type Opened = Answerers & { readonly database: Database };

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
  const database = await openDatabase(workerData);
  opened = { database, log: new SqlActivityLog(database), history: new SqlHistory(database) };
  return opened;
}

async function answer({ id, of, method, given }: Request): Promise<Reply> {
  try {
    const answerer = (await answerers())[of] as unknown as Record<string, (...given: unknown[]) => Promise<unknown>>;
    return { id, value: await answerer[method]?.(...given) };
  } catch (error) {
    return { id, fault: textOf(error), isRefusal: error instanceof Unkeepable };
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
  await opened?.database.destroy();
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
