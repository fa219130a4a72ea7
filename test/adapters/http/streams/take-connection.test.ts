import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, it } from "vitest";
import { takeConnection } from "../../../../src/adapters/http/streams/take-connection.ts";
import { until } from "../../../support/until.ts";

setFlagsFromString("--expose-gc");
const collect: () => void = runInNewContext("gc");

async function taken() {
  const cleanup = new AsyncDisposableStack();
  const server = createServer();
  cleanup.defer(() => void server.close());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1").setEncoding("utf8");
  cleanup.defer(() => void client.destroy());
  let received = "";
  client.on("data", (text: string) => {
    received += text;
  });
  client.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  const held: WeakRef<object>[] = [];
  const [socket] = await new Promise<[ReturnType<typeof takeConnection>]>((resolve) => {
    server.once("request", (incoming: object, outgoing: ServerResponse) => {
      outgoing.removeHeader("Transfer-Encoding");
      outgoing.writeHead(200, { Connection: "close" }).flushHeaders();
      held.push(new WeakRef(incoming), new WeakRef(outgoing), new WeakRef(outgoing.socket as object));
      resolve([takeConnection(outgoing)]);
    });
  });
  if (!socket) throw new Error("the response has no connection");
  return { client, socket, held, received: () => received, [Symbol.asyncDispose]: () => cleanup.disposeAsync() };
}

it("writes to the connection after the head, and closes when the client does", async () => {
  await using open = await taken();
  open.socket.resume().write("data: 1\n\n");
  await until(() => open.received().endsWith("\r\n\r\ndata: 1\n\n"), "the event arrives");
  expect(open.received()).toMatch(/^HTTP\/1.1 200 OK\r\nConnection: close\r\n/);
  const closed = once(open.socket, "close");
  open.client.destroy();
  await closed;
});

it("does not keep Node's request, response and socket while the connection is open", async () => {
  await using open = await taken();
  await until(() => {
    collect();
    return open.held.every((each) => each.deref() === undefined);
  }, "they are collected");
  open.socket.write("data: 1\n\n");
  await until(() => open.received().endsWith("data: 1\n\n"), "the event arrives");
});

it("waits for a reader that does not read, and can be destroyed meanwhile", async () => {
  await using open = await taken();
  open.client.pause();
  const errors: unknown[] = [];
  open.socket.write(Buffer.alloc(16_000_000), (error) => void errors.push(error));
  open.socket.on("error", () => {});
  expect(open.socket.writableLength).toBeGreaterThan(0);
  const closed = once(open.socket, "close");
  open.socket.destroy();
  await closed;
  expect(errors).toEqual([expect.objectContaining({ code: "ECANCELED" })]);
});
