import { parentPort } from "node:worker_threads";
import { serveEventLogs } from "./serve-event-logs.ts";

parentPort?.on(
  "message",
  serveEventLogs((message) => parentPort?.postMessage(message)),
);
