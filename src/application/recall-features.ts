import { NotKnown, SourceUnavailable } from "../domain/errors.ts";
import type { Instant } from "../domain/evaluation-context.ts";
import type { FeatureKey, Resolution } from "../domain/feature.ts";
import { merge } from "../domain/merge.ts";
import type { Caller, Circumstances } from "./identify-caller.ts";
import { notKnownIn, type SurveySources } from "./survey-sources.ts";

/** The features that were, or will be, on; `isPast` where that is told from the record of the stores. */
export type Recalled = { readonly features: ReadonlyMap<FeatureKey, Resolution>; readonly isPast: boolean };

/** Which features somebody could activate at another moment than now. */
export class RecallFeatures {
  readonly #survey: SurveySources;

  constructor(survey: SurveySources) {
    this.#survey = survey;
  }

  /**
   * Rejects as `SurveySources` does; with `NotKnown`, which names them, where sources are asked
   * that nobody knows the answers of; and with `SourceUnavailable` where one fails, even one that may be left out of answers for now.
   */
  async execute(caller: Caller, circumstances: Circumstances, at: Instant): Promise<Recalled> {
    const { words, isPast } = await this.#survey.execute(caller, circumstances, at);
    const notKnown = notKnownIn(words);
    if (notKnown.length > 0) throw new NotKnown(notKnown);
    const says = words.map((word) => {
      if ("failure" in word) throw new SourceUnavailable(word.source.name, word.failure);
      return word.heard;
    });
    return { features: merge(says), isPast };
  }
}
