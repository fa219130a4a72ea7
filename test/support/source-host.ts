import type { FeedHost } from "../../src/adapters/sources/_catalogue/feed-definition.ts";
import type { OnPolled, PolledDocument } from "../../src/adapters/sources/_polled/latest.ts";
import { pollFile } from "../../src/adapters/sources/_polled/polled-file.ts";
import { pollUrl } from "../../src/adapters/sources/_polled/polled-url.ts";
import { SourceFaults } from "../../src/application/evaluation/source-states.ts";
import type { FeatureResolver } from "../../src/domain/evaluation/feature-resolver.ts";
import type { Connection } from "../../src/infrastructure/connection.ts";

type Options = {
  /** The most members of a set. */
  readonly limit?: number;
  /** The collection of the rules. */
  readonly collection?: string;
  readonly readItems?: FeedHost["readItems"];
  /** Receives warnings, and new faults. */
  readonly warnings?: unknown[];
};

/** A host of a source over one store, with the faults that the source reported. Disposal ends its polling. */
export type TestHost = FeedHost & AsyncDisposable & { readonly faults: () => readonly string[] };

export function hostOn(
  connection?: Connection,
  { limit = 10_000, collection = "rules", readItems, warnings = [] }: Options = {},
): TestHost {
  const name = "tested";
  const faults = new SourceFaults((fault) => warnings.push({ source: name, fault }));
  const disposal = new AsyncDisposableStack();
  const polled = <T>(document: string, poll: (changed: OnPolled) => PolledDocument<T>) =>
    disposal.use(poll((fault) => faults.replace(document, fault === undefined ? [] : [fault]))).read;
  const store = (): Connection => {
    if (!connection) throw new Error("this source was to need no store");
    return connection;
  };
  return {
    name,
    readSet: (key) => store().sets.read(key, limit),
    readRules: () => store().rules.read(collection),
    readItems: readItems ?? (() => Promise.reject(new Error("this source was to need no feed"))),
    pollFile: (file, parse) => polled(file, (changed) => pollFile(file, parse, changed)),
    pollUrl: (polling, parse) => polled(polling.url, (changed) => pollUrl(polling, parse, changed)),
    report: (reported) => faults.replace("", reported),
    warn: (fields) => warnings.push(fields),
    faults: () => faults.all(),
    [Symbol.asyncDispose]: () => disposal.disposeAsync(),
  };
}

/** A resolver that is disposed of with its host. */
export const hosted = (resolver: FeatureResolver, host: TestHost) =>
  Object.assign(resolver, {
    faults: () => host.faults(),
    [Symbol.asyncDispose]: async () => {
      await resolver.dispose?.();
      await host[Symbol.asyncDispose]();
    },
  });
