import { StoreDataInvalid, StoreFull } from "../../domain/errors.ts";

/**
 * Throws what a failed command means to us. A reply that is an error keeps only its text up to the
 * arguments: those, and the command that ioredis attaches, may hold a token.
 */
export function redisFault(error: Error, key = "a token's key"): never {
  const [text = ""] = error.message.split(", with args");
  if (text.startsWith("WRONGTYPE"))
    throw new StoreDataInvalid(`${key} holds another type than it should; mend it in Redis`);
  if (text.startsWith("OOM")) throw new StoreFull();
  throw new Error(text);
}

/** Whether Redis answered, and would not do what it was asked to; `code` is the first word of its answer. */
export const isRefusal = (error: Error, code = ""): boolean =>
  error.name === "ReplyError" && error.message.startsWith(code);
