import { FlagdRules } from "../../src/adapters/sources/flagd/flagd-rules.ts";
import { rounds } from "../rounds.ts";

/** Processor time in milliseconds of an evaluation of 1,000 flagd flags for a new context, a figure per round. */
export type FlagdCost = {
  /** Two conditions each. */
  readonly plain: readonly number[];
  /** The same with `fractional` and `sem_ver`. */
  readonly rich: readonly number[];
};

const flagCount = 1_000;
const contexts = 50;

export async function flagdCost(): Promise<FlagdCost> {
  return { plain: costs(false), rich: costs(true) };
}

function costs(isRich: boolean): readonly number[] {
  const rules = FlagdRules.of({
    flags: Object.fromEntries(
      Array.from({ length: flagCount }, (_, flag) => [`flag_${flag}`, definition(flag, isRich)]),
    ),
  });
  let next = 0;
  const evaluate = () => {
    next += 1;
    const attributes = { country: "ES", plan: "pro", version: `${next % 7}.3.${next % 11}` };
    rules.evaluate({ at: 1_700_000_000_000 + next, targetingKey: `user-${next}`, attributes });
  };
  for (let warm = 0; warm < 300; warm++) evaluate();
  return Array.from({ length: 3 * rounds }, () => {
    const before = process.cpuUsage();
    for (let context = 0; context < contexts; context++) evaluate();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / contexts / 1_000;
  });
}

function definition(flag: number, isRich: boolean): object {
  const conditions: object[] = [{ "==": [{ var: "country" }, "ES"] }, { in: [{ var: "plan" }, ["pro", "team"]] }];
  if (isRich) conditions.push({ sem_ver: [{ var: "version" }, ">=", `${1 + (flag % 5)}.2.${flag % 10}`] });
  const on = isRich
    ? {
        fractional: [
          ["on", 50],
          ["off", 50],
        ],
      }
    : "on";
  return {
    state: "ENABLED",
    variants: { on: true, off: false },
    defaultVariant: "off",
    targeting: { if: [{ and: conditions }, on, "off"] },
  };
}
