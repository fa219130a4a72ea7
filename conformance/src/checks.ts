import type { Check } from "./check.ts";
import { accessChecks } from "./checks/access.ts";
import { badInputChecks } from "./checks/bad-input.ts";
import { bulkChecks } from "./checks/bulk.ts";
import { entityTagChecks } from "./checks/entity-tag.ts";
import { singleChecks } from "./checks/single.ts";
import { streamChecks } from "./checks/streams.ts";

/** All checks, in the order in which they run: the last of bad input looks at all responses before it. */
export const checks: readonly Check[] = [
  ...singleChecks,
  ...bulkChecks,
  ...entityTagChecks,
  ...accessChecks,
  ...streamChecks,
  ...badInputChecks,
];
