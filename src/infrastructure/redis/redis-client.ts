import { Redis, type RedisOptions } from "ioredis";
import { freshnessBoundMs } from "../../domain/evaluation/cached-read.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import { replyText } from "./redis-fault.ts";

/**
 * Client of a Redis server. Its connection fails if any step of the handshake fails: HELLO, AUTH or SELECT.
 *
 * ioredis continues in database 0 if SELECT is rejected, and without a user if the server needs no password.
 * Here the connection is closed instead, so that no command runs in another database, and is retried as after a loss.
 */
export class RedisClient extends Redis {
  /** What the server rejected in the last handshake, and what to do; undefined if nothing. */
  handshakeFault: string | undefined;
  /** Whether the server was a replica when it was last asked, by any HELLO; undefined before. Emits `role` when it changes. */
  isReplica: boolean | undefined;

  constructor(url: string, options: Omit<RedisOptions, "replyMapping">) {
    super(withUser(url), { ...options, disableClientInfo: true });
    this.on("connect", () => {
      this.handshakeFault = undefined;
    });
    this.on("ready", () => {
      // A server that knows no HELLO does not tell.
      this.isReplica ??= false;
    });
    this.on("error", (error: Error) => {
      if (this.status !== "connect" || error.name !== "ReplyError") return;
      this.handshakeFault = faultOf(error, this.options.db ?? 0);
      this.disconnect(true);
    });
  }

  /** The instant for which the reply to a command sent now is true. Of a replica that is not known, and supposed to be too old. */
  asOf(): Instant {
    return this.isReplica ? Date.now() - freshnessBoundMs - 1 : Date.now();
  }

  override sendCommand(...sent: Parameters<Redis["sendCommand"]>): unknown {
    const [command] = sent;
    if (command.name === "hello") command.promise.then((reply) => this.#learnRole(reply)).catch(() => {});
    return super.sendCommand(...sent);
  }

  /** A reply to HELLO is a list of names and values in turn. */
  #learnRole(reply: unknown): void {
    const role = Array.isArray(reply) ? reply[reply.indexOf("role") + 1] : undefined;
    const isReplica = role === "replica" || role === "slave";
    const before = this.isReplica;
    this.isReplica = isReplica;
    if (before !== undefined && before !== isReplica) this.emit("role");
  }
}

/** With a user name, AUTH is as lenient as HELLO towards a server without a password, so that no connection differs. */
function withUser(url: string): string {
  const parsed = new URL(url);
  if (parsed.password !== "" && parsed.username === "") parsed.username = "default";
  return parsed.href;
}

function faultOf(error: Error & { readonly command?: { readonly name: string } }, database: number): string {
  const reply = replyText(error);
  switch (error.command?.name) {
    case "select":
      return `the server rejects database ${database} (${reply}); correct the URL or the server's setting "databases"`;
    case "hello":
    case "auth":
      return `the server rejects the user name or password (${reply}); correct the URL`;
    default:
      return `the server rejects the handshake (${reply}); correct the URL or the server`;
  }
}
