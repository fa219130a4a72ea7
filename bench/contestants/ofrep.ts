import { Client } from "../client.ts";
import { userCount } from "../data.ts";
import type { Server } from "../process.ts";
import { type Call, everDifferent, rotating } from "../wrk.ts";
import type { Contestant } from "./contestant.ts";

/** Evaluates all flags of a context (OFREP). */
export const bulkPath = "/ofrep/v1/evaluate/flags";

const countries = ["ES", "PT", "FR", "DE"];
const plans = ["free", "pro", "team"];
const paid = ["pro", "team"];
const flagCount = 100;
const checkedCallers = 20;

type Context = { readonly targetingKey: string; readonly country: string; readonly plan: string };
type Flag = { readonly key: string; readonly value: boolean; readonly variant: string };
type Kind = "on" | "off" | "by key" | "by attributes";

const flags = Array.from({ length: flagCount }, (_, flag) => ({
  key: `flag_${String(flag).padStart(2, "0")}`,
  kind: ((["on", "off"] as const)[flag % 3] ?? (flag % 2 === 0 ? "by key" : "by attributes")) as Kind,
  digit: `${flag % 10}`,
  country: countries[flag % countries.length] ?? "",
}));
type Definition = (typeof flags)[number];

/** The flags as a file of flagd: a third is on, a third off, a third has one or two conditions. */
export const flagsFile = (): string =>
  JSON.stringify({ flags: Object.fromEntries(flags.map((flag) => [flag.key, definition(flag)])) });

function definition({ kind, digit, country }: Definition): object {
  const condition = {
    "by key": { ends_with: [{ var: "targetingKey" }, digit] },
    "by attributes": { and: [{ "==": [{ var: "country" }, country] }, { in: [{ var: "plan" }, paid] }] },
  };
  return {
    state: "ENABLED",
    variants: { on: true, off: false },
    defaultVariant: kind === "on" ? "on" : "off",
    ...(kind in condition && { targeting: { if: [condition[kind as keyof typeof condition], "on", "off"] } }),
  };
}

export const contextOf = (caller: number, targetingKey = `caller-${caller}`): Context => ({
  targetingKey,
  country: countries[caller % countries.length] ?? "",
  plan: plans[caller % plans.length] ?? "",
});

/** The right flags of a context, by key. */
export const rightFlags = (context: Context): readonly Flag[] =>
  flags.map((flag) => {
    const value = isOn(flag, context);
    return { key: flag.key, value, variant: value ? "on" : "off" };
  });

function isOn({ kind, digit, country }: Definition, context: Context): boolean {
  switch (kind) {
    case "on":
      return true;
    case "off":
      return false;
    case "by key":
      return context.targetingKey.endsWith(digit);
    case "by attributes":
      return context.country === country && paid.includes(context.plan);
  }
}

const headers = { "Content-Type": "application/json" };
const bodyOf = (context: Context): string => JSON.stringify({ context });
const callOf = (context: Context): Call => ({ path: bulkPath, headers, body: bodyOf(context) });

/** The callers of a load: 10,000 in turn, or each a new one. */
export const loads = {
  "repeated callers": () => rotating(Array.from({ length: userCount }, (_, caller) => callOf(contextOf(caller)))),
  "new contexts": () => everDifferent(callOf(contextOf(0, "new-#"))),
} as const;
export type LoadName = keyof typeof loads;

/** A server that evaluates the flags, under a load. */
export const evaluating = (name: string, load: LoadName, server: Server): Contestant => ({
  name: `${name}, ${load}`,
  server,
  script: loads[load](),
  check: () => check(name, server),
});

/** The response to a caller: its flags by key, and its size. */
export async function evaluate(
  client: Client,
  { url }: Server,
  caller: number,
): Promise<{ readonly flags: readonly Flag[]; readonly bytes: number }> {
  const { status, body } = await client.ask(new URL(bulkPath, url).href, headers, bodyOf(contextOf(caller)));
  if (status !== 200) throw new Error(`${url} answers caller ${caller} with ${status}: ${body}`);
  const { flags: found } = JSON.parse(body) as { flags: Flag[] };
  const plain = found.map(({ key, value, variant }) => ({ key, value, variant }));
  return { flags: plain.sort((a, b) => (a.key < b.key ? -1 : 1)), bytes: Buffer.byteLength(body) };
}

/** Evaluates the flags of each of the 10,000 callers. */
export async function evaluateEach(server: Server): Promise<void> {
  using client = new Client();
  let next = 0;
  const connection = async () => {
    for (let caller = next++; caller < userCount; caller = next++) await evaluate(client, server, caller);
  };
  await Promise.all(Array.from({ length: 32 }, connection));
}

async function check(name: string, server: Server): Promise<void> {
  using client = new Client();
  for (let index = 0; index < checkedCallers; index++) {
    const caller = Math.floor((index * userCount) / checkedCallers) + index;
    const found = JSON.stringify((await evaluate(client, server, caller)).flags);
    const right = JSON.stringify(rightFlags(contextOf(caller)));
    if (found !== right) throw new Error(`${name} evaluates caller ${caller} to ${found}, not ${right}`);
  }
}
