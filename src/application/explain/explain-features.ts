import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import { type FeatureKey, inOrder } from "../../domain/evaluation/feature.ts";
import type { History } from "../../domain/events/history.ts";
import { decidingSources, type Explanation, explain, knownFeatures } from "../../domain/explain/explanation.ts";
import { resultWithin } from "../async/deadline.ts";
import { queryLog } from "../events/query-log.ts";
import { type EvaluateEachSource, outcomesOf, type SetRead, setsOf } from "./evaluate-each-source.ts";
import { ruleOf, rulesWithRecords } from "./explain-rules.ts";
import type { Explained, ExplainedFeature, Question, Summary } from "./explained.ts";
import { explainedContext } from "./explained-context.ts";
import { explanationText } from "./explanation-text.ts";
import { type LastChanges, membershipOf, metadataOf } from "./membership.ts";

/** Maximum wait for changes that the log lacks yet. Later ones are omitted. */
const maxWaitMs = 1_000;

/** Explains why features are on or off for a caller. */
export class ExplainFeatures {
  readonly #evaluate: EvaluateEachSource;
  readonly #history: History;
  readonly #beforeRead: () => Promise<void>;

  /** `beforeRead` relays the outboxes to the log. It may take a second at most, and may fail. */
  constructor(evaluate: EvaluateEachSource, history: History, beforeRead: () => Promise<void>) {
    this.#evaluate = evaluate;
    this.#history = history;
    this.#beforeRead = beforeRead;
  }

  /**
   * Rejects as `evaluateEachSource` does. For the present it works without the log. Errors of sources are part of the
   * explanation.
   */
  async explain({ caller, requestContext, at, features }: Question): Promise<Explained> {
    const each = await this.#evaluate(caller, requestContext, at);
    const { attempts, context, evaluatedAt, isPast } = each;
    const outcomes = outcomesOf(attempts);
    const sets = attempts.map(({ source }) => setsOf(source, context));
    if (!isPast) await resultWithin(maxWaitMs, this.#beforeRead);
    const effectiveAt = isPast ? context.at : evaluatedAt;
    const lastChanges = await this.#lastChanges(sets.flat(), effectiveAt, features);
    const rules = await Promise.all(attempts.map(({ source }) => rulesWithRecords(source, this.#history, effectiveAt)));
    const explained = (feature: FeatureKey): ExplainedFeature => {
      const explanation = explain(feature, outcomes);
      const results = explanation.results.map((of, index) => ({
        ...of,
        ...membershipOf(feature, of.result, sets[index] ?? [], attempts[index], lastChanges),
        ...(rules[index] && ruleOf(feature, rules[index])),
        ...metadataOf(feature, attempts[index]),
      }));
      return { ...withCause(explanation, results), results };
    };
    return {
      ...explainedContext(each, caller, sets),
      isLogAvailable: lastChanges !== undefined && rules.every((of) => !of || of.records),
      features: inOrder(
        new Set(features ?? [...knownFeatures(outcomes), ...rules.flatMap((of) => [...(of?.rules.keys() ?? [])])]),
      ).map(explained),
    };
  }

  /**
   * The states of the features that a source lists, and of the given ones, without their last changes. Rejects as
   * `evaluateEachSource` does.
   */
  async summarize({ caller, requestContext, at, features = [] }: Question): Promise<Summary> {
    const each = await this.#evaluate(caller, requestContext, at);
    const { attempts, context } = each;
    const outcomes = outcomesOf(attempts);
    const sets = attempts.map(({ source }) => setsOf(source, context));
    const all = inOrder(new Set([...knownFeatures(outcomes), ...features]));
    return {
      ...explainedContext(each, caller, sets),
      states: new Map(all.map((feature) => [feature, explain(feature, outcomes).on])),
      summarize: (feature) => {
        const explanation = explain(feature, outcomes);
        const results = explanation.results.map((of, index) => ({
          ...of,
          ...membershipOf(feature, of.result, sets[index] ?? [], attempts[index], undefined),
        }));
        return withCause(explanation, results);
      },
    };
  }

  /** The result of each source for a feature in this context, with the stores of another time. Rejects as the others do. */
  async resultsWithStores(
    { caller, requestContext, at }: Question,
    storesAt: Instant,
  ): Promise<(feature: FeatureKey) => Explanation["results"]> {
    const { attempts } = await this.#evaluate(caller, requestContext, at, storesAt);
    const outcomes = outcomesOf(attempts);
    return (feature) => explain(feature, outcomes).results;
  }

  /** The last change of each feature, or of these, by set; `undefined` if the log does not respond. */
  async #lastChanges(
    sets: readonly SetRead[],
    at: Instant,
    features: readonly FeatureKey[] | undefined,
  ): Promise<LastChanges | undefined> {
    try {
      const all = await Promise.all(
        sets.map(async (set) => {
          const changes = await queryLog(() => this.#history.lastChanges(set.store, set.key, at, features));
          return [set, new Map(changes.map((change) => [change.feature, change]))] as const;
        }),
      );
      return new Map(all);
    } catch {
      return undefined;
    }
  }
}

/** An explanation with its cause in one sentence. */
function withCause(explanation: Explanation, results: readonly { readonly source: string; readonly set?: string }[]) {
  const keys = new Map(results.flatMap(({ source, set }) => (set === undefined ? [] : [[source, set] as const])));
  return {
    ...explanation,
    decidedBy: decidingSources(explanation.cause),
    message: explanationText(explanation, keys),
  };
}
