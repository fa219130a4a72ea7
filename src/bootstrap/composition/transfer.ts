import type { TokensOfData } from "../../application/transfer/data-line.ts";
import { ExportData } from "../../application/transfer/export-data.ts";
import { importData } from "../../application/transfer/import-data.ts";
import { loadDemo } from "../../application/transfer/load-demo.ts";
import { isOwnKey } from "../../infrastructure/stores/store-keys.ts";
import { pepperMark } from "../../infrastructure/token-key.ts";
import type { Admin } from "./admin.ts";
import { lazy, once } from "./lazy.ts";
import type { Stores } from "./stores.ts";
import { pepperOf } from "./token-keys.ts";
import type { Wiring } from "./wiring.ts";

export type Transfer = ReturnType<typeof transferOf>;

/** Transfer: import, export and the demo data. */
export function transferOf({ config, env, now }: Wiring, stores: Stores, admin: Admin) {
  const tokens = once((): TokensOfData | undefined => {
    if (!config.tokens || !stores.tokens) return undefined;
    const pepper = config.tokens.layout === "hashed" ? pepperMark(pepperOf(config.tokens, env).value) : undefined;
    return { store: stores.tokens.store, pepper };
  });

  return lazy({
    importData: () => importData(admin.editableSources, tokens(), admin.documents, admin.catalogue, now),
    exportData: () => new ExportData(admin.editableSources, tokens(), admin.catalogue, isOwnKey),
    loadDemo: () => {
      const connections = [...stores.connections.values()];
      const isEmpty = async () => (await Promise.all(connections.map((each) => each.isEmpty()))).every(Boolean);
      return loadDemo(isEmpty, admin.changeSet, admin.manageTokens, admin.catalogue);
    },
  });
}
