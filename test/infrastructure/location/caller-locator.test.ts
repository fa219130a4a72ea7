import { describe } from "vitest";
import { callerLocator } from "../../../src/infrastructure/location/caller-locator.ts";
import { locatorContract } from "../../contracts/locator.contract.ts";

describe("what the caller says", () => {
  locatorContract(() => callerLocator, { said: "es/madrid" }, ["es/madrid"]);
});
