import { createServer } from "node:http";

const headers = JSON.parse(process.env["HEADERS"] ?? "{}");
const body = process.env["BODY"] ?? "";
createServer((_, response) => response.writeHead(200, headers).end(body)).listen(
  Number(process.env["PORT"]),
  "127.0.0.1",
);
