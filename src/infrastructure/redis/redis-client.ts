import { Redis, type RedisOptions } from "ioredis";
import { freshnessBoundMs } from "../../domain/evaluation/cached-read.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import { replyText } from "./redis-fault.ts";

/**
 * Client of a Redis server. Its connection fails if any step of the handshake fails: HELLO, AUTH or SELECT.
 *
 * ioredis continues in database 0 if SELECT is rejected, and without a user if the server needs no password. This
 * client closes the connection instead, so that no command runs in another database, and retries as after a loss.
 */
export class RedisClient extends Redis {
  /** The rejection of the last handshake and its fix. `undefined` if it succeeded. */
  handshakeFault: string | undefined;
  /** Whether the server was a replica at the last HELLO. `undefined` before. Emits `role` on change. */
  isReplica: boolean | undefined;

  constructor(url: string, options: Omit<RedisOptions, "replyMapping">) {
    super(withUser(url), { ...options, disableClientInfo: true });
    this.on("connect", () => {
      this.handshakeFault = undefined;
    });
    this.on("ready", () => {
      // A server without HELLO does not report its role.
      this.isReplica ??= false;
    });
    this.on("error", (error: Error) => {
      if (this.status !== "connect" || error.name !== "ReplyError") return;
      this.handshakeFault = faultOf(error, this.options.db ?? 0);
      this.disconnect(true);
    });
  }

  /**
   * The instant up to which the reply to a command sent now is current. For a replica it is unknown, and assumed to be
   * too old.
   */
  asOf(): Instant {
    return this.isReplica ? Date.now() - freshnessBoundMs - 1 : Date.now();
  }

  override sendCommand(...sent: Parameters<Redis["sendCommand"]>): unknown {
    const [command] = sent;
    if (command.name === "hello") command.promise.then((reply) => this.#learnRole(reply)).catch(() => {});
    return super.sendCommand(...sent);
  }

  /** A HELLO reply is a list of alternating names and values. */
  #learnRole(reply: unknown): void {
    const role = Array.isArray(reply) ? reply[reply.indexOf("role") + 1] : undefined;
    const isReplica = role === "replica" || role === "slave";
    const before = this.isReplica;
    this.isReplica = isReplica;
    if (before !== undefined && before !== isReplica) this.emit("role");
  }
}

/** With a user name, AUTH accepts a server without a password, as HELLO does, so that all connections behave alike. */
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
