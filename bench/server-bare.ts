import { createServer } from "node:http";

const body = process.env["BODY"] ?? "{}";
const headers = {
  "Content-Type": "application/json",
  "Cache-Control": "private, no-cache",
  Vary: "Authorization",
  ETag: '"0123456789012345678901234567890123456789012"',
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Content-Length": Buffer.byteLength(body),
};
const server = createServer((_, response) => response.writeHead(200, headers).end(body));
server.listen(Number(process.env["PORT"]), "127.0.0.1", () => console.log("serves"));
process.once("SIGTERM", () => server.close().closeAllConnections());
