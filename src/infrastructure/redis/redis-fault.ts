import { StoreDataInvalid, StoreFull, StorePermissionDenied, StoreReadOnly } from "../../domain/errors.ts";

/**
 * The text of a failed command, without what may hold a token or a password: a reply may repeat the arguments.
 * Of a script, where it failed is cut off too.
 */
export const replyText = ({ message }: Error): string =>
  message
    .split(", with args", 1)
    .join()
    .replace(/ script: [0-9a-f]{40}, on @user_script:\d+\.?$/, "");

/**
 * Throws what a failed command means. `key` names the key of the command; a script may name another.
 * The command that ioredis attaches to an error is dropped, as it may hold a token.
 */
export function redisFault(error: Error, key = "a token's key"): never {
  const text = replyText(error);
  const [code, detail] = split(text);
  if (error.name !== "ReplyError") throw new Error(text);
  switch (code) {
    case "WRONGTYPE": {
      const named = /^key (.+)$/s.exec(detail)?.[1] ?? key;
      throw new StoreDataInvalid(`${named} holds another type than it should; mend it in Redis`);
    }
    case "OOM":
      throw new StoreFull();
    case "NOPERM":
      throw new StorePermissionDenied(`Redis rejects ${commandOf(error)} (${key}): ${detail}; grant the rights`);
    case "READONLY":
      throw new StoreReadOnly(`Redis rejects ${commandOf(error)}: it is a replica; connect to the primary`);
    case "MISCONF":
      throw new StoreReadOnly(
        `Redis rejects ${commandOf(error)}: it stops writes because it cannot save them; fix its disk`,
      );
    default:
      throw new Error(text);
  }
}

/** Whether Redis answered, and would not do what it was asked to; `code` is the first word of its answer. */
export const isRefusal = (error: Error, code = ""): boolean =>
  error.name === "ReplyError" && error.message.startsWith(code);

function split(text: string): readonly [string, string] {
  const end = text.indexOf(" ");
  return end < 0 ? [text, ""] : [text.slice(0, end), text.slice(end + 1)];
}

const commandOf = (error: Error & { readonly command?: { readonly name: string } }): string =>
  error.command?.name.toUpperCase() ?? "a command";
