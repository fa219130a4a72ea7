import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { setTimeout } from "node:timers/promises";

/** One of a client's connections, through to the server. */
type Link = { readonly client: Socket; opening: string };

/** How much of what was sent first over a connection tells what it is for, in characters. */
const openingLength = 1_000;

/**
 * A TCP proxy to a local port that can do what networks do. It keeps order and loses no byte of a live stream.
 *
 * A fault may be kept to some of the connections: to those over which a text was sent soon after they were opened.
 */
export class TcpProxy implements AsyncDisposable {
  #target: number;
  readonly #sockets = new Set<Socket>();
  readonly #server;
  readonly #links = new Set<Link>();
  #refusing: string | undefined;
  #delayed = { ms: 0, over: "" };
  #held = false;
  #bytesAnswered = 0;

  private constructor(target: number) {
    this.#target = target;
    this.#server = createServer((client) => this.#join(client));
  }

  static async to(port: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(port);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  /** What clients have sent, in one piece for each time that one waited for an answer. */
  readonly sent: string[] = [];

  /** How much the server has answered. */
  get bytesAnswered(): number {
    return this.#bytesAnswered;
  }

  /** Cuts connections, and others as soon as they are seen to be such: the server is gone. */
  cut(over = ""): void {
    this.#refusing = over;
    for (const { client, opening } of this.#links) if (opening.includes(over)) client.destroy();
  }

  /** Makes every answer arrive that much later. */
  delay(ms: number, over = ""): void {
    this.#delayed = { ms, over };
  }

  /** Lets nothing through, while all connections stay open: the server hangs. */
  hold(): void {
    this.#held = true;
    for (const socket of this.#sockets) socket.pause();
  }

  /** Lets everything through again. */
  heal(): void {
    this.#refusing = undefined;
    this.#delayed = { ms: 0, over: "" };
    this.#held = false;
    for (const socket of this.#sockets) socket.resume();
  }

  /** Who connects from now on reaches another server; who is connected loses the connection. */
  leadTo(port: number): void {
    this.#target = port;
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, "close");
  }

  #join(client: Socket): void {
    if (this.#refusing === "") {
      client.destroy();
      return;
    }
    const server = connect(this.#target, "127.0.0.1");
    const link: Link = { client, opening: "" };
    this.#links.add(link);
    client.on("close", () => this.#links.delete(link));
    let asking = false;
    client.on("data", (data) => {
      this.sent.push(asking ? `${this.sent.pop() ?? ""}${data}` : `${data}`);
      asking = true;
      if (link.opening.length < openingLength) link.opening += data;
      if (this.#refusing !== undefined && link.opening.includes(this.#refusing)) client.destroy();
      else server.write(data);
    });
    let answers = Promise.resolve();
    server.on("data", (data) => {
      asking = false;
      this.#bytesAnswered += data.length;
      const dueAt = performance.now() + (link.opening.includes(this.#delayed.over) ? this.#delayed.ms : 0);
      answers = answers.then(async () => {
        const early = dueAt - performance.now();
        if (early > 0) await setTimeout(early);
        client.write(data);
      });
    });
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(from);
      from.setNoDelay(true);
      from.on("error", () => {});
      from.on("close", () => {
        this.#sockets.delete(from);
        to.destroy();
      });
      if (this.#held) from.pause();
    }
  }
}
