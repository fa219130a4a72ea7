import { UnleashResolver } from "../../adapters/sources/unleash/unleash-resolver.ts";
import { ForwardReports } from "../../application/unleash/forward-reports.ts";
import { SourceUnavailable } from "../../domain/errors.ts";
import type { Evaluation } from "./evaluation.ts";
import { lazy, once } from "./lazy.ts";
import { causeText, type Wiring } from "./wiring.ts";

export type UnleashArea = ReturnType<typeof unleashOf>;

/** Service for clients of Unleash. */
export function unleashOf({ config, log }: Wiring, evaluation: Evaluation) {
  const { unleash } = config.compatibility;
  const name = typeof unleash === "object" ? unleash.source : undefined;

  /** The source that is passed on; `undefined` if none is. */
  const resolver = once(() => {
    if (name === undefined) return undefined;
    const found = evaluation.sources.find((source) => source.name === name)?.resolver;
    if (found instanceof UnleashResolver) return found;
    throw new Error(`source "${name}" is not of kind unleash`);
  });

  return lazy({
    isOn: () => unleash !== false,
    reports: () => {
      const server = resolver()?.server;
      return new ForwardReports(server && ((report) => server.send(report)), {
        failed: (cause) =>
          log.warn({ source: name, cause: causeText(cause) }, "reports of Unleash clients are dropped"),
        recovered: () => log.info({ source: name }, "reports of Unleash clients are forwarded again"),
      });
    },
    readDocument: () => {
      const { document } = resolver() ?? {};
      if (!document || name === undefined) return undefined;
      return () => {
        try {
          return document();
        } catch (cause) {
          throw new SourceUnavailable(name, cause);
        }
      };
    },
  });
}
