/** Loaded into a measured process: returns its memory after a collection. */
import { createServer } from "node:http";

createServer((_, response) => {
  globalThis.gc?.();
  response.setHeader("Connection", "close").end(JSON.stringify(process.memoryUsage()));
})
  .listen(Number(process.env["PROBE_PORT"]), "127.0.0.1")
  .unref();
