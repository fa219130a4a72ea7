import { StoreDataInvalid, StoreFull } from "../../domain/errors.ts";

/** The text of a failed command. A reply may repeat the arguments, which may hold a token or a password; they are cut off. */
export const replyText = (error: Error): string => error.message.split(", with args", 1)[0] ?? "";

/** Throws what a failed command means to us. The command that ioredis attaches to an error is dropped, as it may hold a token. */
export function redisFault(error: Error, key = "a token's key"): never {
  const text = replyText(error);
  if (text.startsWith("WRONGTYPE"))
    throw new StoreDataInvalid(`${key} holds another type than it should; mend it in Redis`);
  if (text.startsWith("OOM")) throw new StoreFull();
  throw new Error(text);
}

/** Whether Redis answered, and would not do what it was asked to; `code` is the first word of its answer. */
export const isRefusal = (error: Error, code = ""): boolean =>
  error.name === "ReplyError" && error.message.startsWith(code);
