import { StoreDataInvalid } from "../domain/errors.ts";
import type { UserId } from "../domain/evaluation/evaluation-context.ts";
import { valueRule } from "../domain/evaluation/key-template.ts";

/** Parses a stored user id. Throws `StoreDataInvalid` if it is invalid. */
export function storedUser(userId: string): UserId {
  if (userId === "" || userId.length > 200 || /[\p{Cc}\p{Cs}\ufffd]/u.test(userId)) {
    throw new StoreDataInvalid(`the token's user id is invalid (expected ${valueRule}); fix it in the store`);
  }
  return userId;
}
