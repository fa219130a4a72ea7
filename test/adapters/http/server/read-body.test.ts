import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readBody } from "../../../../src/adapters/http/server/read-body.ts";
import { until } from "../../../support/until.ts";

const server = createServer((incoming, outgoing) => {
  readBody(incoming, (body) => {
    const isStreamed = incoming.listenerCount("data") > 0;
    outgoing.end(JSON.stringify({ body: body.toString(), isStreamed }));
  });
  arrived(incoming);
});
let arrived: (incoming: IncomingMessage) => void = () => {};

beforeAll(async () => {
  await once(server.listen(0, "127.0.0.1"), "listening");
});
afterAll(() => void server.close());

const head = (length: number) => `POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${length}\r\n\r\n`;

function opened(): { readonly socket: Socket; readonly received: () => string } {
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  let text = "";
  socket.on("data", (chunk) => {
    text += chunk.toString();
  });
  return { socket, received: () => text };
}

test("reads a body that came with its head in one step, on each request of a connection", async () => {
  const { socket, received } = opened();
  for (const body of ["first", "second"]) {
    socket.write(`${head(body.length)}${body}`);
    await until(() => received().includes(JSON.stringify({ body, isStreamed: false })), `the response to ${body}`);
  }
  socket.destroy();
});

test("reads an empty body", async () => {
  const { socket, received } = opened();
  socket.write(head(0));
  await until(() => received().includes('{"body":""'), "the response");
  socket.destroy();
});

test("waits for a body that arrives later, in parts", async () => {
  const { socket, received } = opened();
  const begun = new Promise<IncomingMessage>((resolve) => {
    arrived = resolve;
  });
  socket.write(`${head(9)}one`);
  const incoming = await begun;
  await until(() => incoming.listenerCount("data") > 0, "it waits");
  socket.write("two");
  socket.write("six");
  await until(() => received().includes('{"body":"onetwosix"'), "the response");
  socket.destroy();
});

test("two requests that arrive at once are both read", async () => {
  const { socket, received } = opened();
  socket.write(`${head(3)}one${head(3)}two`);
  await until(() => received().includes('{"body":"two"'), "the second response");
  expect(received().indexOf('"one"')).toBeLessThan(received().indexOf('"two"'));
  socket.destroy();
});
