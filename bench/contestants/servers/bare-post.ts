import { createServer } from "node:http";

// Reads the body of each request, as every OFREP server must, and returns a constant.
const { HEADERS = "{}", BODY = "", STATUS = "200", PORT } = process.env;
const headers = JSON.parse(HEADERS);
createServer({ keepAliveTimeout: 65_000 }, (request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => response.writeHead(chunks.length > 0 ? Number(STATUS) : 404, headers).end(BODY));
}).listen(Number(PORT), "127.0.0.1");
