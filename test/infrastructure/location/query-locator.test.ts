import { describe } from "vitest";
import { queryLocator } from "../../../src/infrastructure/location/query-locator.ts";
import { locatorContract } from "../../contracts/locator.contract.ts";

describe("what the caller says", () => {
  locatorContract(() => queryLocator, { said: "es/madrid" }, ["es/madrid"]);
});
