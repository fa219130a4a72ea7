import { NotKnown, SourceUnavailable } from "../domain/errors.ts";
import type { Instant } from "../domain/evaluation-context.ts";
import { explain, known } from "../domain/explain.ts";
import type { FeatureKey } from "../domain/feature.ts";
import type { Caller, Circumstances } from "./identify-caller.ts";
import { hearingsOf, notKnownIn, type SurveySources } from "./survey-sources.ts";

/** The features that were, or will be, on. */
export type Recalled = {
  readonly features: ReadonlySet<FeatureKey>;
  /** Whether that is told from the record of the stores. */
  readonly isPast: boolean;
  /** The sources without history at that moment. Features whose state depends on them are left out. */
  readonly missing: readonly string[];
};

/** Which features somebody could activate at another moment than now. */
export class RecallFeatures {
  readonly #survey: SurveySources;

  constructor(survey: SurveySources) {
    this.#survey = survey;
  }

  /**
   * Rejects as `SurveySources` does; with `NotKnown`, where the sources without history at that moment, which it names, leave no feature
   * decided; and with `SourceUnavailable` where one fails, even one that may be left out of answers for now.
   */
  async execute(caller: Caller, circumstances: Circumstances, at: Instant): Promise<Recalled> {
    const { words, isPast } = await this.#survey.execute(caller, circumstances, at);
    const notKnown = notKnownIn(words);
    const missing = notKnown.map(({ name }) => name);
    for (const word of words) {
      if ("failure" in word && !missing.includes(word.source.name)) {
        throw new SourceUnavailable(word.source.name, word.failure);
      }
    }
    const hearings = hearingsOf(words);
    const explained = [...known(hearings)].map((feature) => explain(feature, hearings));
    if (missing.length > 0 && explained.every(({ on }) => on === undefined)) throw new NotKnown(notKnown);
    const features = explained.filter(({ on }) => on).map(({ feature }) => feature);
    return { features: new Set(features), isPast, missing };
  }
}
