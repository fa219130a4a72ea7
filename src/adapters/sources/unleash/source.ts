import { defineSource } from "../_catalogue/source.ts";
import { addressFault, headerText, oneOf, polledUrl, readsAddress } from "../_polled/polled-options.ts";
import { polledRules } from "../_polled/polled-rules.ts";
import { UnleashRules } from "./unleash-rules.ts";

/** Version of the Unleash specification that the library implements. Servers omit what older clients do not support. */
const specification = "5.2.0";

export const source = defineSource({
  summary: "Evaluates the features of an Unleash server, or of a file with what one answers to its clients.",
  options: ({ z }) =>
    z
      .strictObject({
        url: polledUrl
          .optional()
          .describe(
            "The URL of the server's API, as in `https://unleash.example.com/api`, with or without `/client/features`. It is polled.",
          ),
        token: headerText
          .optional()
          .describe(
            "Of a URL: a backend token of one environment of Unleash. Keep it in a variable, and name that here.",
          ),
        pollSeconds: z.coerce.number().min(1).max(86_400).default(15).describe("Of a URL: how often it is polled."),
        file: z
          .string()
          .min(1)
          .optional()
          .describe(
            "A file with what `/api/client/features` answers, 10 MiB at most. It is read again when it changes. A relative path is relative to the configuration file.",
          ),
        appName: headerText.default("tidegate").describe("What constraints on `appName` see, and the server."),
        environment: z.string().min(1).default("default").describe("What constraints on `environment` see."),
        readsAddress,
      })
      .superRefine(oneOf("url", "file")),
  example: { url: "https://unleash.example.com/api", token: `\${UNLEASH_TOKEN}` },
  create: ({ url, token, pollSeconds, file, appName, environment, readsAddress }, { pollFile, pollUrl, report }) => {
    const parse = (text: string): UnleashRules => {
      const rules = UnleashRules.parse(text, { appName, environment });
      report([...rules.faults, ...(!readsAddress && text.includes('"remoteAddress"') ? [addressFault] : [])]);
      return rules;
    };
    if (url === undefined) return polledRules(pollFile(file ?? "", parse), readsAddress);
    const polled = {
      url: clientFeatures(url),
      headers: {
        "Unleash-AppName": appName,
        "Unleash-InstanceId": "tidegate",
        "Unleash-Client-Spec": specification,
        ...(token === undefined ? {} : { Authorization: token }),
      },
      everyMs: pollSeconds * 1_000,
    };
    return polledRules(pollUrl(polled, parse), readsAddress);
  },
});

/** URL of the features endpoint of an API; the URL may already include it. */
function clientFeatures(api: string): string {
  const url = new URL(api);
  url.pathname = `${url.pathname.replace(/(\/client\/features)?\/*$/, "")}/client/features`;
  return url.href;
}
