import { defineSource } from "../_catalogue/source.ts";
import { addressFault, headerText, oneOf, polledUrl, readsAddress } from "../_polled/polled-options.ts";
import { polledRules } from "../_polled/polled-rules.ts";
import { flagdDefinitions } from "./flagd-definitions.ts";
import { FlagdRules } from "./flagd-rules.ts";

export const source = defineSource({
  summary: "Evaluates flagd definitions: inline, from a file or from a URL.",
  options: ({ z }) =>
    z
      .strictObject({
        definitions: flagdDefinitions.optional().describe("Inline definitions."),
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
      .superRefine(oneOf("definitions", "file", "url")),
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
  deterministic: ({ definitions }) => definitions !== undefined,
  create: ({ definitions, file, url, authorization, pollSeconds, readsAddress }, { pollFile, pollUrl, report }) => {
    const parse = (text: string): FlagdRules => {
      const rules = FlagdRules.parse(text);
      report([...rules.faults, ...(!readsAddress && rules.reads?.includes("ip") ? [addressFault] : [])]);
      return rules;
    };
    if (file !== undefined) return polledRules(pollFile(file, parse), readsAddress);
    if (url !== undefined) {
      const headers = authorization === undefined ? {} : { Authorization: authorization };
      return polledRules(pollUrl({ url, headers, everyMs: pollSeconds * 1_000 }, parse), readsAddress);
    }
    const rules = new FlagdRules(definitions);
    report(rules.faults);
    return { resolve: (context) => rules.answer(context), ...(rules.reads ? { varyBy: rules.reads } : {}) };
  },
});
