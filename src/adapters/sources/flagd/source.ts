import { defineSource } from "../_catalogue/source.ts";
import { addressFault, headerText, oneOf, polledUrl, readsAddress } from "../_polled/polled-options.ts";
import { changingRules } from "../_rules/changing-rules.ts";
import { flagdDefinitions, storedFlag, storedSegment } from "./flagd-definitions.ts";
import { FlagdRules } from "./flagd-rules.ts";
import { storedRules } from "./stored-rules.ts";

export const source = defineSource({
  summary: "Evaluates flagd definitions: inline, from a store, from a file or from a URL.",
  options: ({ z, connection, collection }) =>
    z
      .strictObject({
        definitions: flagdDefinitions.optional().describe("Inline definitions."),
        connection: connection.optional().describe("The connection with definitions that operators edit."),
        collection: collection
          .default("flags")
          .describe(
            "For `connection`: the collection of the definitions, one for each feature, and of the segments, whose names start with `$`.",
          ),
        file: z
          .string()
          .min(1)
          .optional()
          .describe(
            "A file with definitions in JSON or YAML, at most 10 MiB. It is read again when it changes. Paths are relative to the configuration file.",
          ),
        url: polledUrl.optional().describe("A URL of definitions. It is polled."),
        authorization: headerText.optional().describe("For `url`: value of the `Authorization` header."),
        pollSeconds: z.coerce
          .number()
          .min(1)
          .max(86_400)
          .default(30)
          .describe("For `url`: time between two polls, in seconds."),
        readsAddress,
      })
      .superRefine(oneOf("definitions", "connection", "file", "url")),
  example: {
    definitions: {
      flags: {
        new_checkout: {
          state: "ENABLED",
          variants: { on: true, off: false },
          defaultVariant: "off",
          targeting: { if: [{ "==": [{ var: "country" }, "ES"] }, "on"] },
        },
      },
    },
  },
  editable: { rules: () => storedFlag, segments: () => storedSegment },
  deterministic: ({ definitions, connection }) => definitions !== undefined || connection !== undefined,
  create: ({ definitions, connection, file, url, authorization, pollSeconds, readsAddress }, host) => {
    const { readRules, pollFile, pollUrl, report } = host;
    const reportFaults = (rules: FlagdRules): void =>
      report([...rules.faults, ...(!readsAddress && rules.reads?.includes("ip") ? [addressFault] : [])]);
    const parse = (text: string): FlagdRules => {
      const rules = FlagdRules.parse(text);
      reportFaults(rules);
      return rules;
    };
    const others = readsAddress ? (["ip"] as const) : [];
    if (connection !== undefined) return changingRules(readRules, storedRules(reportFaults), others);
    if (file !== undefined) return changingRules(pollFile(file, parse), (rules) => rules, others);
    if (url !== undefined) {
      const headers = authorization === undefined ? {} : { Authorization: authorization };
      const read = pollUrl({ url, headers, everyMs: pollSeconds * 1_000 }, parse);
      return changingRules(read, (rules) => rules, others);
    }
    const rules = FlagdRules.of(definitions);
    report(rules.faults);
    return { resolve: (context) => rules.evaluate(context), ...(rules.reads ? { varyBy: rules.reads } : {}) };
  },
});
