import { describe } from "vitest";
import { source } from "../../../src/adapters/sources/static.ts";
import { featureResolverContract } from "../../contracts/feature-resolver.contract.ts";
import { hostOn } from "../../support/source-host.ts";

describe("kind static", () => {
  featureResolverContract(async () => ({
    resolver: source.create({ features: { new_menu: true, constructor: true, old_search: false } }, hostOn()),
    context: { at: 0 },
    on: ["new_menu", "constructor"],
    off: ["old_search"],
  }));
});
