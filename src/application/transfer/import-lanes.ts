import type { DocumentLoad, DocumentStore } from "../../domain/admin/document-store.ts";
import type { EditableRules } from "../../domain/admin/editable-rules.ts";
import type { EditableSet } from "../../domain/admin/editable-set.ts";
import type { SetLoad } from "../../domain/admin/feature-store.ts";
import type { TokenLoad, TokenStore } from "../../domain/admin/token-store.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import type { FeatureKey } from "../../domain/evaluation/feature.ts";
import type { ChangeAuthor } from "../admin/author.ts";
import type { CatalogueEntry } from "../admin/catalogue.ts";
import { catalogueCollection } from "../events/change-event.ts";
import type { CatalogueLine } from "./data-line.ts";
import { LoadLane } from "./load-lane.ts";

/**
 * The lanes of an import: one for each kind of data in a store. Features of one set are merged; of a token, a
 * description or a rule, the last line wins.
 */
export class ImportLanes {
  readonly #author: Pick<ChangeAuthor, "by" | "email" | "note">;
  readonly #load: string;
  readonly #descriptions: ReadonlyMap<FeatureKey, CatalogueEntry>;
  readonly #now: Instant;
  readonly #sets = new Map<string, LoadLane<SetLoad>>();
  #tokens: LoadLane<TokenLoad> | undefined;
  #entries: LoadLane<CatalogueLine> | undefined;
  readonly #rules = new Map<string, LoadLane<DocumentLoad>>();

  /** `known`: the present descriptions. */
  constructor(
    author: Pick<ChangeAuthor, "by" | "email" | "note">,
    load: string,
    descriptions: ReadonlyMap<FeatureKey, CatalogueEntry>,
    now: Instant,
  ) {
    this.#author = author;
    this.#load = load;
    this.#descriptions = descriptions;
    this.#now = now;
  }

  ofSets({ connection, changes }: EditableSet): LoadLane<SetLoad> {
    const present = this.#sets.get(connection);
    if (present) return present;
    const lane = new LoadLane<SetLoad>({
      ...this.#author,
      load: `${this.#load}:sets:${connection}`,
      store: (batch) => changes.load(batch),
      nameOf: ({ key }) => key,
      merged: (earlier, later) => ({ ...later, features: [...new Set([...earlier.features, ...later.features])] }),
      weightOf: ({ features }) => features.length,
    });
    this.#sets.set(connection, lane);
    return lane;
  }

  ofTokens(store: TokenStore): LoadLane<TokenLoad> {
    this.#tokens ??= new LoadLane({
      ...this.#author,
      load: `${this.#load}:tokens`,
      store: (batch) => store.load(batch),
      // No collision: a digest starts with a colon.
      nameOf: (item) => ("token" in item ? item.token : `:${item.digest}`),
      merged: (_, later) => later,
      weightOf: () => 1,
    });
    return this.#tokens;
  }

  ofEntries(store: DocumentStore): LoadLane<CatalogueLine> {
    this.#entries ??= new LoadLane<CatalogueLine>({
      ...this.#author,
      load: `${this.#load}:catalogue`,
      store: (batch) => store.load({ ...batch, items: batch.items.map((line) => this.#documentOf(line)) }),
      nameOf: ({ catalogue }) => catalogue,
      merged: (_, later) => later,
      weightOf: () => 1,
    });
    return this.#entries;
  }

  ofRules({ connection, documents }: EditableRules): LoadLane<DocumentLoad> {
    const present = this.#rules.get(connection);
    if (present) return present;
    const lane = new LoadLane<DocumentLoad>({
      ...this.#author,
      load: `${this.#load}:rules:${connection}`,
      store: (batch) => documents.load(batch),
      nameOf: ({ collection, name }) => `${collection}/${name}`,
      merged: (_, later) => later,
      weightOf: () => 1,
    });
    this.#rules.set(connection, lane);
    return lane;
  }

  /** Waits until everything is stored. Returns the numbers of records made and of items skipped. */
  async end(): Promise<{ readonly records: number; readonly skipped: number }> {
    const single = [this.#tokens, this.#entries].filter((lane) => lane !== undefined);
    const lanes = [...this.#sets.values(), ...single, ...this.#rules.values()];
    for (const lane of lanes) await lane.end();
    const sum = (of: "records" | "skipped") => lanes.reduce((all, lane) => all + lane[of], 0);
    return { records: sum("records"), skipped: sum("skipped") };
  }

  #documentOf({ catalogue: name, description, owner, tags, archived, created }: CatalogueLine): DocumentLoad {
    const value = {
      description,
      owner,
      tags,
      archived,
      created: created ?? this.#descriptions.get(name)?.created ?? this.#now,
    };
    return { collection: catalogueCollection, name, value };
  }
}
