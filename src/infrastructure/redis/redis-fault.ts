import { StoreDataInvalid, StoreFull, StorePermissionDenied, StoreReadOnly } from "../../domain/errors.ts";

/**
 * Message of a failed command, without parts that may contain a token or a password: a reply may repeat the arguments.
 * For a script, the position of the failure is removed too.
 */
export const replyText = ({ message }: Error): string =>
  // ioredis names its own options.
  message
    .replace(/^Stream isn't writeable and enableOfflineQueue.*/, "not connected to Redis")
    .split(", with args", 1)
    .join()
    .replace(/ script: [0-9a-f]{40}, on @user_script:\d+\.?$/, "");

/**
 * Converts the error of a failed command and throws it. `key` names the key of the command, unless the script names
 * another. Drops the command that ioredis attaches to the error, because it may contain a token.
 */
export function redisFault(error: Error, key = "a token's key"): never {
  const text = replyText(error);
  const [code, detail] = split(text);
  if (error.name !== "ReplyError") throw new Error(text);
  switch (code) {
    case "WRONGTYPE": {
      const named = /^key (.+)$/s.exec(detail)?.[1] ?? key;
      throw new StoreDataInvalid(`${named} has the wrong type; fix it in Redis`);
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

/** Whether Redis replied with an error. `code` is the first word of the reply. */
export const isErrorReply = (error: Error, code = ""): boolean =>
  error.name === "ReplyError" && error.message.startsWith(code);

function split(text: string): readonly [string, string] {
  const end = text.indexOf(" ");
  return end < 0 ? [text, ""] : [text.slice(0, end), text.slice(end + 1)];
}

const commandOf = (error: Error & { readonly command?: { readonly name: string } }): string =>
  error.command?.name.toUpperCase() ?? "a command";
