import { Redis, type RedisOptions } from "ioredis";
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

  constructor(url: string, options: Omit<RedisOptions, "replyMapping">) {
    super(withUser(url), { ...options, disableClientInfo: true });
    this.on("connect", () => {
      this.handshakeFault = undefined;
    });
    this.on("error", (error: Error) => {
      if (this.status !== "connect" || error.name !== "ReplyError") return;
      this.handshakeFault = faultOf(error, this.options.db ?? 0);
      this.disconnect(true);
    });
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
