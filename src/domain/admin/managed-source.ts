import type { Source } from "../evaluation/source.ts";
import type { FeedItems } from "../feeds/feed-items.ts";
import type { EditableRules } from "./editable-rules.ts";
import type { EditableSet } from "./editable-set.ts";

/** Managed source: a source with its state and its editable data for operators. */
export type ManagedSource = Source & {
  /** Its kind in the configuration. */
  readonly kind: string;
  /** The display name for operators, if there is one. */
  readonly label?: string | undefined;
  /** The sets that it reads, if operators may change them. Reads of them bypass the cache. */
  readonly editableSet?: EditableSet | undefined;
  /** The rules of single features that it reads, if operators may change them. */
  readonly editableRules?: EditableRules | undefined;
  /** The items of the feed that it reads. */
  readonly feed?: FeedItems | undefined;
  /** The faults in its data, each with the feature that it concerns, if there is one. Empty if its data are valid. */
  readonly faults: () => readonly string[];
};
