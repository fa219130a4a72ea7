import { defineSource } from "../_catalogue/source.ts";
import { addressFault, headerText, oneOf, polledUrl, readsAddress } from "../_polled/polled-options.ts";
import { UnleashResolver } from "./unleash-resolver.ts";
import { UnleashRules } from "./unleash-rules.ts";
import { unleashServer } from "./unleash-server.ts";

/** Version of the Unleash specification that the library implements. Servers omit what older clients do not support. */
const specification = "5.2.0";

export const source = defineSource({
  summary: "Evaluates the features of an Unleash server, or of a file with its response.",
  options: ({ z }) =>
    z
      .strictObject({
        url: polledUrl
          .optional()
          .describe(
            "The URL of the server's API, for example `https://unleash.example.com/api`, with or without `/client/features`. It is polled.",
          ),
        token: headerText
          .optional()
          .describe(
            "For `url`: a backend token of one Unleash environment. Use an environment variable, as in the example.",
          ),
        pollSeconds: z.coerce
          .number()
          .min(1)
          .max(86_400)
          .default(15)
          .describe("For `url`: time between two polls, in seconds."),
        file: z
          .string()
          .min(1)
          .optional()
          .describe(
            "A file with the response of `/api/client/features`, at most 10 MiB. It is read again when it changes. Paths are relative to the configuration file.",
          ),
        appName: headerText.default("tidegate").describe("The `appName` of constraints and of requests to the server."),
        environment: z.string().min(1).default("default").describe("The `environment` of constraints."),
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
    if (url === undefined) return new UnleashResolver(pollFile(file ?? "", parse), readsAddress);
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
    const server = unleashServer(polled.url, polled.headers);
    return new UnleashResolver(pollUrl(polled, parse), readsAddress, server);
  },
});

/** URL of the features endpoint of an API; the URL may already include it. */
function clientFeatures(api: string): string {
  const url = new URL(api);
  url.pathname = `${url.pathname.replace(/(\/client\/features)?\/*$/, "")}/client/features`;
  return url.href;
}
