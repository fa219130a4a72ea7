import { join, resolve } from "node:path";
import type { z } from "zod";
import type { ReportProblem } from "../../infrastructure/config-error.ts";
import { mapIn } from "../../infrastructure/entries.ts";
import type { EventLogLocation } from "../../infrastructure/event-log/database/database.ts";
import type { connection } from "./connection-schema.ts";

type Connections = Readonly<Record<string, z.output<typeof connection>>>;

/** Name of the connection that is reserved for the event log. */
export const eventLogConnection = "events";

/** Reports an invalid event log connection, also if other parts of the configuration are invalid. */
export function checkEventLogConnection(raw: unknown, data: string, reportProblem: ReportProblem): void {
  const connections = mapIn(raw, "connections");
  const log = resolve(String(mapIn(connections, eventLogConnection)["file"] ?? defaultFile(data)));
  for (const name of Object.keys(connections)) {
    const { kind, file } = mapIn(connections, name);
    const path = ["connections", name];
    if (name === eventLogConnection) {
      if (kind !== "redis") continue;
      const fix = "use postgres or sqlite; a store for sources needs another name";
      reportProblem([...path, "kind"], `the event log cannot be in redis (${fix})`);
    } else if (kind === "postgres") {
      const fix = `name this connection ${eventLogConnection}, or use redis or sqlite`;
      reportProblem([...path, "kind"], `postgres is for the event log only (${fix})`);
    } else if (kind === "sqlite" && file !== undefined && resolve(String(file)) === log) {
      reportProblem([...path, "file"], "this is the file of the event log (choose another file)");
    }
  }
}

/**
 * Separates the stores of sources and tokens from the location of the event log. Default: a SQLite file in the data
 * folder.
 */
export function separateEventLog({ [eventLogConnection]: log, ...others }: Connections, data: string) {
  const stores = Object.entries(others).flatMap(([name, store]) =>
    store.kind === "postgres" ? [] : [[name, store] as const],
  );
  const location: EventLogLocation = log && log.kind !== "redis" ? log : defaultLocation(data);
  return { connections: Object.fromEntries(stores), eventLog: location };
}

const defaultFile = (data: string): string => join(data, "events.db");

const defaultLocation = (data: string): EventLogLocation => ({
  kind: "sqlite",
  file: defaultFile(data),
  formerFile: join(data, "activity.db"),
});
