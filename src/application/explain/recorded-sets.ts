import { HistoryUnavailable } from "../../domain/errors.ts";
import type { FeatureSets } from "../../domain/evaluation/feature-sets.ts";

/**
 * Sets at a past instant, of which outside changes are not recorded. A set is known only if its last record agrees with
 * the store. Rejects with `HistoryUnavailable` otherwise.
 */
export const recordedSets = (then: FeatureSets, last: FeatureSets, present: FeatureSets): FeatureSets => ({
  read: async (key, limit) => {
    const [past, recorded, stored] = await Promise.all([then, last, present].map((sets) => sets.read(key, limit)));
    const known = new Set(recorded?.value.features);
    if (!past || known.symmetricDifference(new Set(stored?.value.features)).size > 0)
      throw new HistoryUnavailable([{ name: key }]);
    return past;
  },
});
