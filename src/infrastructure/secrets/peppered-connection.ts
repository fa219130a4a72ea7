import { hash } from "node:crypto";
import { errorMessage } from "../../domain/error-message.ts";
import { StoreFault } from "../../domain/errors.ts";
import type { TokenResolver } from "../../domain/evaluation/token-resolver.ts";
import type { Connection } from "../connection.ts";
import type { Log } from "../logger.ts";
import { pepperMark } from "../token-key.ts";

/** The key of token digests. `origin` is the file or the environment variable that has it. */
export type Pepper = { readonly value: string | Buffer; readonly origin: string };

const secretName = "pepper";

/**
 * A connection whose tokens are hashed with a pepper. The store has a mark of the pepper, written at the first start.
 * With another pepper, every token would be unknown. So lookups that find no user reject, as do all uses of the tokens'
 * digests, and `check`. Accepting the store replaces the mark.
 */
export function pepperedConnection(connection: Connection, name: string, pepper: Pepper, log: Log): Connection {
  const { secrets } = connection;
  const mark = hash("sha256", pepperMark(pepper.value), "buffer");
  let isRight = false;
  connection.onConnect(() => {
    isRight = false;
  });

  const check = async () => {
    if (isRight) return;
    try {
      isRight = mark.equals(await secrets.read(secretName, mark));
    } catch (error) {
      // A process without rights to write cannot create the mark.
      if (error instanceof StoreFault) return;
      throw error;
    }
    if (isRight) return;
    throw new Error(
      `connection "${name}": its tokens were hashed with another pepper; restore ${pepper.origin}, or run npx tidegate stores accept ${name}, which makes them invalid`,
    );
  };

  const guarded = (tokens: TokenResolver): TokenResolver => {
    const checked = async (pending: ReturnType<TokenResolver["resolve"]>) => {
      const read = await pending;
      if (read.value === undefined) await check();
      return read;
    };
    return {
      keyOf: tokens.keyOf,
      resolve: (token) => checked(tokens.resolve(token)),
      resolveKey: (key) => checked(tokens.resolveKey(key)),
    };
  };

  return {
    ...connection,
    connected: async () => {
      await connection.connected();
      await check().catch((cause) =>
        log.error({ connection: name, cause: errorMessage(cause) }, "tokens are unusable"),
      );
    },
    check: async () => {
      await connection.check();
      await check();
    },
    accept: async () => {
      await connection.accept();
      await secrets.replace(secretName, mark);
    },
    tokenResolver: (keyOf) => guarded(connection.tokenResolver(keyOf)),
    tokenStore: (keyOf) => {
      const tokens = connection.tokenStore(keyOf);
      return {
        assign: (change) => check().then(() => tokens.assign(change)),
        load: (batch) => check().then(() => tokens.load(batch)),
        revoke: (change) => ("token" in change ? check() : Promise.resolve()).then(() => tokens.revoke(change)),
        all: async function* () {
          await check();
          yield* tokens.all();
        },
        keyById: (id) => tokens.keyById(id),
        list: (userId) => tokens.list(userId),
      };
    },
  };
}
