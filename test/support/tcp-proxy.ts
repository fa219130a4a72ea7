import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** A TCP proxy to a local port that can do what networks do. It keeps order and loses no byte of a live stream. */
export class TcpProxy implements AsyncDisposable {
  #target: number;
  readonly #sockets = new Set<Socket>();
  readonly #server;
  #refusing = false;
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

  /** Cuts all connections, and cuts new ones at once: the server is gone. */
  cut(): void {
    this.#refusing = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Lets nothing through, while all connections stay open: the server hangs. */
  hold(): void {
    this.#held = true;
    for (const socket of this.#sockets) socket.pause();
  }

  /** Lets everything through again. */
  heal(): void {
    this.#refusing = false;
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
    if (this.#refusing) {
      client.destroy();
      return;
    }
    const server = connect(this.#target, "127.0.0.1");
    let asking = false;
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(from);
      from.setNoDelay(true);
      from.on("data", (data) => {
        if (from === client) this.sent.push(asking ? `${this.sent.pop() ?? ""}${data}` : `${data}`);
        asking = from === client;
        if (from === server) this.#bytesAnswered += data.length;
        to.write(data);
      });
      from.on("error", () => {});
      from.on("close", () => {
        this.#sockets.delete(from);
        to.destroy();
      });
      if (this.#held) from.pause();
    }
  }
}
