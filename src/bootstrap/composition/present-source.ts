import { dirname, resolve } from "node:path";
import type { Changed, Polled } from "../../adapters/sources/_polled/latest.ts";
import { pollFile } from "../../adapters/sources/_polled/polled-file.ts";
import { pollUrl } from "../../adapters/sources/_polled/polled-url.ts";
import type { Background } from "../../application/evaluation/await-sources.ts";
import { SourceFaults } from "../../application/evaluation/source-faults.ts";
import { feedReader } from "../../application/feeds/read-feed.ts";
import type { ManagedSource } from "../../domain/admin/managed-source.ts";
import { SetupFailed } from "../../infrastructure/setup-failed.ts";
import type { ConfiguredSource } from "../config/config.ts";
import { pollerOf } from "./feed-poller.ts";
import { managedSource, noFeed } from "./managed-source.ts";
import type { Stores } from "./stores.ts";
import { causeText, type Wiring } from "./wiring.ts";

/** Creates a source over the present stores, and adds its work to `background`. Throws `SetupFailed`. */
export function presentSource(
  source: ConfiguredSource,
  { config, disposal, log, newId, now }: Wiring,
  stores: Stores,
  background: Background[],
): ManagedSource {
  const { name, kind } = source;
  const warn = (fields: Record<string, unknown>, sentence: string) => log.warn({ source: name, ...fields }, sentence);
  const faults = new SourceFaults((fault) => warn({ fault }, "source data has a fault"));
  const polled = <T>(document: string, poll: (changed: Changed) => Polled<T>) =>
    disposal.use(poll((fault) => faults.replace(document, fault === undefined ? [] : [fault]))).read;
  try {
    const connection = source.feed && stores.connectionOf(source.feed.connection);
    const feed = connection && pollerOf(name, source.feed, connection, { warn, newId, now });
    if (feed) {
      disposal.defer(() => feed.stop());
      background.push({ source: name, begin: () => feed.start() });
    }
    const managed = managedSource(source, stores.sourceStoreOf, {
      readItems: feed ? feedReader(feed) : noFeed,
      pollFile: (file, parse) => {
        const path = resolve(dirname(config.file), file);
        return polled(path, (changed) => pollFile(path, parse, changed));
      },
      pollUrl: (polling, parse) => polled(polling.url, (changed) => pollUrl(polling, parse, changed)),
      report: (reported) => faults.replace("", reported),
      warn,
    });
    disposal.defer(async () => managed.resolver.dispose?.());
    return { ...managed, feed, faults: () => faults.all() };
  } catch (cause) {
    throw new SetupFailed(`cannot create source "${name}" (${kind}): ${causeText(cause)}; fix its options or its file`);
  }
}
