import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { setTimeout } from "node:timers/promises";

/** A client's connection, through to the server. */
type Link = { readonly client: Socket; opening: string };

/** The first characters of a connection that tell its purpose. */
const openingLength = 1_000;

/**
 * A TCP proxy to a local port, with the faults of networks. It keeps the order, and loses no byte of a live stream.
 *
 * A fault may apply to some connections only: those over which a given text is sent soon after they open.
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

  /** The data of clients, one entry for each time that one waits for a response. */
  readonly sent: string[] = [];

  /** The number of bytes from the server. */
  get bytesAnswered(): number {
    return this.#bytesAnswered;
  }

  /** Cuts connections, and those that match later: the server is gone. */
  cut(over = ""): void {
    this.#refusing = over;
    for (const { client, opening } of this.#links) if (opening.includes(over)) client.destroy();
  }

  /** Delays every response. */
  delay(ms: number, over = ""): void {
    this.#delayed = { ms, over };
  }

  /** Stops all data, with all connections open: the server hangs. */
  hold(): void {
    this.#held = true;
    for (const socket of this.#sockets) socket.pause();
  }

  /** Lets all data through again. */
  heal(): void {
    this.#refusing = undefined;
    this.#delayed = { ms: 0, over: "" };
    this.#held = false;
    for (const socket of this.#sockets) socket.resume();
  }

  /** Connects new clients to another server, and cuts existing connections. */
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
