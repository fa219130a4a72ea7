import { StoreDataInvalid } from "../domain/errors.ts";
import type { UserId } from "../domain/evaluation/evaluation-context.ts";

/** Parses a stored user id. Throws `StoreDataInvalid` if it is invalid. */
export function storedUser(userId: string): UserId {
  if (userId === "" || userId.length > 200 || /[\p{Cc}\p{Cs}\ufffd]/u.test(userId)) {
    throw new StoreDataInvalid("a token's user is no user id of 1 to 200 printable characters; mend it in the store");
  }
  return userId;
}
