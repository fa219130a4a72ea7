import { flagdDefinitions } from "../../infrastructure/flagd/flagd-definitions.ts";
import { FlagdRules } from "../../infrastructure/flagd/flagd-rules.ts";
import { followFile } from "../../infrastructure/followed/followed-file.ts";
import {
  addressFault,
  headerText,
  oneOf,
  polledUrl,
  readsAddress,
} from "../../infrastructure/followed/followed-options.ts";
import { fewFaults, followedRules } from "../../infrastructure/followed/followed-rules.ts";
import { followUrl } from "../../infrastructure/followed/followed-url.ts";
import { defineSource } from "../source.ts";

export const source = defineSource({
  summary: "Evaluates flags as flagd does, from definitions in the YAML, in a file or behind a URL.",
  options: ({ z }) =>
    z
      .strictObject({
        definitions: flagdDefinitions.optional().describe("The definitions themselves."),
        file: z
          .string()
          .min(1)
          .optional()
          .describe("A file with definitions in JSON or YAML, 10 MiB at most. It is read again when it changes."),
        url: polledUrl.optional().describe("A URL that answers with such definitions. It is polled."),
        authorization: headerText.optional().describe("Of a URL: what to send as `Authorization`."),
        pollSeconds: z.coerce.number().min(1).max(86_400).default(30).describe("Of a URL: how often it is polled."),
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
  replayable: ({ definitions }) => definitions !== undefined,
  create: ({ definitions, file, url, authorization, pollSeconds, readsAddress }, { name, warn }) => {
    const faulty = (fault: string) => warn({ source: name, fault }, "flag definitions have a fault");
    const parse = (text: string): FlagdRules => {
      const rules = FlagdRules.parse(text);
      fewFaults(rules.faults).forEach(faulty);
      if (!readsAddress && rules.reads?.includes("ip")) faulty(addressFault);
      return rules;
    };
    if (file !== undefined) return followedRules(followFile(file, parse, faulty), readsAddress);
    if (url !== undefined) {
      const headers = authorization === undefined ? {} : { Authorization: authorization };
      return followedRules(followUrl({ url, headers, everyMs: pollSeconds * 1_000 }, parse, faulty), readsAddress);
    }
    const rules = new FlagdRules(definitions);
    const faults = fewFaults(rules.faults);
    faults.forEach(faulty);
    return {
      resolve: (context) => rules.answer(context),
      faults: () => faults,
      ...(rules.reads ? { reads: rules.reads } : {}),
    };
  },
});
