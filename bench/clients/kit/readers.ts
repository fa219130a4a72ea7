// Opens event streams, and reports when each has received a text. A process of its own, so that it delays nobody else.
import { connect, type Socket } from "node:net";
import { bearer } from "../../client.ts";
import { tokenOf } from "../../data.ts";

/** What the process is told to do. It replies with a `Report` once that is done. */
export type Order =
  | {
      readonly do: "open";
      readonly url: string;
      readonly count: number;
      readonly isReading: boolean;
      /** Whether all send no token; otherwise each sends another one. */
      readonly isAnonymous?: boolean;
    }
  /** Waits until the last event of all streams has this text, or has not. */
  | { readonly do: "await"; readonly text: string; readonly isGone?: boolean };

type OpenOrder = Extract<Order, { do: "open" }>;

/** Milliseconds since 1970, to the microsecond: when the first and the last stream was done. */
export type Report = { readonly first: number; readonly last: number; readonly open: number };

const atOnce = 50;
const now = () => performance.timeOrigin + performance.now();
const sockets: Socket[] = [];
const received = new Map<Socket, string>();
type Awaited = {
  readonly text: string;
  readonly isGone: boolean;
  readonly waiting: Set<Socket>;
  readonly done: () => void;
  first: number;
};
let awaited: Awaited | undefined;

function take(socket: Socket, data: Buffer): void {
  const text = (received.get(socket) ?? "") + data.toString("latin1");
  // The last event is all that is looked for.
  received.set(socket, text.slice(text.lastIndexOf("\ndata:")));
  check(socket);
}

function check(socket: Socket): void {
  if (!awaited?.waiting.has(socket) || received.get(socket)?.includes(awaited.text) === awaited.isGone) return;
  awaited.first ||= now();
  awaited.waiting.delete(socket);
  if (awaited.waiting.size === 0) awaited.done();
}

async function open(order: OpenOrder, index: number): Promise<void> {
  const { url: address, isReading, isAnonymous = false } = order;
  const url = new URL(address);
  const socket = connect(Number(url.port), url.hostname);
  sockets.push(socket);
  socket.on("error", () => {});
  const headers = Object.entries(isAnonymous ? {} : bearer(tokenOf(index))).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  socket.write(`GET ${url.pathname} HTTP/1.1\r\nHost: localhost\r\n${headers.join("")}\r\n`);
  const isOpen = await new Promise<boolean>((resolve) => {
    const begun = (data: Buffer) => {
      if (data.includes("HTTP/1.1 503")) return resolve(false);
      if (isReading) take(socket, data);
      if (!`${received.get(socket) ?? data}`.includes("data:")) return;
      socket.off("data", begun);
      if (isReading) socket.on("data", (more) => take(socket, more));
      else socket.pause();
      resolve(true);
    };
    socket.on("data", begun);
  });
  if (isOpen) return;
  // A store was slow to respond, on a busy machine.
  sockets.splice(sockets.indexOf(socket), 1);
  socket.destroy();
  await open(order, index);
}

async function follow(order: Order): Promise<Report> {
  const startedAt = now();
  if (order.do === "open") {
    let next = 0;
    const connection = async () => {
      for (let index = next++; index < order.count; index = next++) await open(order, index);
    };
    await Promise.all(Array.from({ length: atOnce }, connection));
  } else {
    await new Promise<void>((done) => {
      awaited = { text: order.text, isGone: order.isGone ?? false, waiting: new Set(sockets), first: 0, done };
      for (const socket of sockets) check(socket);
    });
  }
  const alive = sockets.filter((socket) => !socket.destroyed).length;
  return { first: awaited?.first ?? startedAt, last: now(), open: alive };
}

process.on("message", async (order: Order) => process.send?.(await follow(order)));
