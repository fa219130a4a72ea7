import type { RequestListener } from "node:http";
import { billionLaughs, gzipBomb } from "./bombs.ts";
import { document } from "./feed-server.ts";

/** Faults of a feed's server; `elsewhere` is the target of its redirects. All responses end by themselves. */
export const faultyAnswers = (elsewhere: string): Readonly<Record<string, RequestListener>> => {
  const bomb = gzipBomb(300);
  return {
    closes: (request) => void request.socket.destroy(),
    fails: (_, response) => void response.writeHead(500).end(),
    never: () => {},
    drips: (_, response) => {
      response.writeHead(200, { "Content-Type": "application/json" });
      const drip = setInterval(() => response.write(" "), 50);
      response.on("close", () => clearInterval(drip));
    },
    halves: (_, response) =>
      void response
        .writeHead(200, { "Content-Type": "application/json", "Content-Length": "1000" })
        .write('{"events":[', () => response.destroy()),
    garbage: document("\u0000\u0001<{[", "application/json"),
    strange: document('{"sorry":true}', "application/json"),
    deep: document(`{"events":${"[".repeat(1_000_000)}`, "application/json"),
    nan: document('{"events":[{"id":NaN,"price":1e400}]}', "application/json"),
    bomb: document(bomb, "application/json", { "Content-Encoding": "gzip" }),
    laughs: document(billionLaughs, "application/xml"),
    redirects: (_, response) => void response.writeHead(302, { Location: elsewhere }).end(),
    headers: (_, response) => {
      for (let index = 0; index < 3_000; index++) response.setHeader(`x-${index}`, "x");
      response.end("{}");
    },
  };
};
