import { describe } from "vitest";
import { queryLocator } from "../../../src/infrastructure/location/query-locator.ts";
import { locatorContract } from "../../contracts/locator.contract.ts";

describe("the query locator", () => {
  locatorContract(() => queryLocator, { location: "es/madrid" }, ["es/madrid"]);
});
