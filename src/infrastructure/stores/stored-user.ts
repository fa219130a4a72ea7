import { StoreDataInvalid } from "../../domain/errors.ts";
import type { UserId } from "../../domain/evaluation/evaluation-context.ts";
import { isValue, valueRule } from "../../domain/evaluation/key-template.ts";

/** Parses a stored user id. Throws `StoreDataInvalid` if it is invalid. */
export function storedUser(userId: string): UserId {
  if (!isValue(userId) || userId.includes("\ufffd")) {
    throw new StoreDataInvalid(`the token's user id is invalid (expected ${valueRule}); fix it in the store`);
  }
  return userId;
}
