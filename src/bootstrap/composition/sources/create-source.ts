import { dirname, resolve } from "node:path";
import type { OnPolled, PolledDocument } from "../../../adapters/sources/_polled/latest.ts";
import { pollFile } from "../../../adapters/sources/_polled/polled-file.ts";
import { pollUrl } from "../../../adapters/sources/_polled/polled-url.ts";
import type { Background } from "../../../application/evaluation/await-sources.ts";
import { DeclaredReads } from "../../../application/evaluation/declared-reads.ts";
import { SourceFaults } from "../../../application/evaluation/source-states.ts";
import { feedReader } from "../../../application/feeds/read-feed.ts";
import type { ManagedSource } from "../../../domain/admin/managed-source.ts";
import type { ContextField } from "../../../domain/evaluation/evaluation-context.ts";
import { SetupFailed } from "../../../infrastructure/setup-failed.ts";
import type { ConfiguredSource } from "../../config/configured-source.ts";
import type { Stores } from "../stores.ts";
import { causeText, type Wiring } from "../wiring.ts";
import { pollerOf } from "./feed-poller.ts";
import { managedSource, noFeed } from "./managed-source.ts";

/** Collects the background work of sources, and the context fields that results vary by. */
type SourceCollector = {
  readonly background: Background[];
  readonly addFields: (fields: readonly ContextField[]) => void;
};

/** Creates a source over the present stores. Throws `SetupFailed`. */
export function createSource(
  source: ConfiguredSource,
  { config, disposal, log, newId, now }: Wiring,
  stores: Stores,
  { background, addFields }: SourceCollector,
): ManagedSource {
  const { name, kind } = source;
  const warn = (fields: Record<string, unknown>, sentence: string) => log.warn({ source: name, ...fields }, sentence);
  const faults = new SourceFaults((fault) => warn({ fault }, "source data has a fault"));
  const undeclared = (fields: readonly ContextField[]) => {
    addFields(fields);
    log.error({ source: name, fields }, "the source reads context fields that its varyBy lacks; add them to varyBy");
  };
  const polled = <T>(document: string, poll: (changed: OnPolled) => PolledDocument<T>) =>
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
    const resolver = source.isOutside ? DeclaredReads.of(managed.resolver, undeclared) : managed.resolver;
    return { ...managed, resolver, feed, faults: () => faults.all() };
  } catch (cause) {
    throw new SetupFailed(`cannot create source "${name}" (${kind}): ${causeText(cause)}; fix its options or its file`);
  }
}
