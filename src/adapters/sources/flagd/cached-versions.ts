import type { FeatureFlag } from "@openfeature/flagd-core";

type Operation = (operands: unknown, context: unknown) => unknown;
type Engine = {
  readonly methods: Readonly<Record<string, { readonly method?: Operation } | Operation | undefined>>;
  addMethod(name: string, operation: Operation): void;
};

const semVer = "sem_ver";
/** Maximum number of cached comparisons. */
const maxComparisons = 20_000;

/** Results of comparisons: by the version of the rule, the operator, and the version of the context. */
let comparisons = new Map<unknown, Map<unknown, Map<unknown, unknown>>>();
let size = 0;

/**
 * Caches the comparisons of versions, which flagd's library makes by parsing both texts each time. The flags of one
 * context compare the same few versions: 1,000 flags with `sem_ver` take two thirds of the time. To be called before
 * the first evaluation of a flag.
 */
export function withCachedVersions(flag: FeatureFlag): FeatureFlag {
  const { _targeting: targeting } = flag as unknown as { readonly _targeting?: { readonly _engine?: Engine } };
  const engine = targeting?._engine;
  const original = engine?.methods[semVer];
  const compare = typeof original === "function" ? original : original?.method;
  if (engine && compare) engine.addMethod(semVer, (operands, context) => cached(operands, context, compare));
  return flag;
}

function cached(operands: unknown, context: unknown, compare: Operation): unknown {
  if (!Array.isArray(operands) || operands.length !== 3) return compare(operands, context);
  const [version, operator, other] = operands;
  const results = inner(inner(comparisons, other), operator);
  const known = results.get(version);
  if (known !== undefined) return known;
  const result = compare(operands, context);
  if (size >= maxComparisons) {
    comparisons = new Map();
    size = 0;
  }
  size += 1;
  results.set(version, result);
  return result;
}

function inner<Value>(maps: Map<unknown, Map<unknown, Value>>, key: unknown): Map<unknown, Value> {
  let map = maps.get(key);
  if (!map) {
    map = new Map();
    maps.set(key, map);
  }
  return map;
}
