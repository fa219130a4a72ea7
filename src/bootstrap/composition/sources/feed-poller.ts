import { PollFeed } from "../../../application/feeds/poll-feed.ts";
import { recordItems } from "../../../application/feeds/record-items.ts";
import type { Instant } from "../../../domain/evaluation/evaluation-context.ts";
import type { Connection } from "../../../infrastructure/connection.ts";
import type { ConfiguredFeed } from "../../config/configured-source.ts";

/** The services of the process for a feed poller. */
type Environment = {
  readonly warn: (fields: Record<string, unknown>, sentence: string) => void;
  readonly newId: () => string;
  readonly now: () => Instant;
};

/** Creates the poller of a source's feed, not started. */
export function pollerOf(
  name: string,
  { connection, create }: ConfiguredFeed,
  { items, documents, lease }: Pick<Connection, "items" | "documents" | "lease">,
  { warn, newId, now }: Environment,
): PollFeed {
  const records = recordItems(name, documents, newId, now);
  return new PollFeed(
    { ...create(), name, connection, store: items, records, lease: lease(`provider:${name}`), now },
    {
      failed: (reason) => warn({ reason }, "cannot read the feed; serving the last known items"),
      recovered: () => warn({}, "feed is readable again"),
      foundInvalid: ({ invalid, faults }) => warn({ invalid, faults: faults.slice(0, 5) }, "invalid items in the feed"),
    },
  );
}
