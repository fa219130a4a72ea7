import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { expect, it } from "vitest";
import { ClientStream } from "../../../../src/adapters/http/streams/client-stream.ts";
import { until } from "../../../support/until.ts";

it("keeps only the latest frame for a slow reader, and disconnects one that reads nothing for two heartbeats", async () => {
  await using cleanup = new AsyncDisposableStack();
  const server = createServer();
  cleanup.defer(() => void server.close());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const reader = connect((server.address() as AddressInfo).port, "127.0.0.1");
  cleanup.defer(() => void reader.destroy());
  reader.pause();
  const [socket] = (await once(server, "connection")) as [Socket];
  const stream = new ClientStream(socket);
  // More than the buffers of both sockets hold.
  const size = 16_000_000;
  const frames = Array.from({ length: 5 }, (_, index) => Buffer.alloc(size, `${index}`));
  for (const frame of frames) stream.send(frame);
  expect(socket.writableLength).toBeLessThan(1.5 * size);
  expect(stream.beat()).toBe(true);

  const counts = new Map<string, number>();
  reader
    .on("data", (chunk: Buffer) => {
      for (const digit of ["0", "1", "2", "3", "4"]) {
        const count = chunk.toString("latin1").split(digit.repeat(1_000)).length - 1;
        counts.set(digit, (counts.get(digit) ?? 0) + count);
      }
    })
    .resume();
  const arrived = (digit: string) => (counts.get(digit) ?? 0) * 1_000 > size / 2;
  await until(() => arrived("4"), "the latest frame arrives");
  expect([arrived("0"), arrived("1"), arrived("2"), arrived("3")]).toEqual([true, false, false, false]);
  await until(() => socket.writableLength === 0, "the reader has caught up");
  expect(stream.beat()).toBe(true);

  reader.pause();
  for (const frame of frames) stream.send(frame);
  expect([stream.beat(), stream.beat()]).toEqual([true, false]);
  expect(socket.destroyed).toBe(true);
});
