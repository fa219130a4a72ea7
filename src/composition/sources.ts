import { LRUCache } from "lru-cache";
import { CallContext } from "../adapters/http/call-context.ts";
import { AwaitSources } from "../application/await-sources.ts";
import { CheckReadiness } from "../application/check-readiness.ts";
import { FieldsRead } from "../application/fields-read.ts";
import { IdentifyCaller } from "../application/identify-caller.ts";
import { LocateCaller } from "../application/locate-caller.ts";
import { ResolveFeatures, type Said } from "../application/resolve-features.ts";
import { type Provider, SearchItems } from "../application/search-items.ts";
import { SourceStates } from "../application/source-states.ts";
import { ViewItems } from "../application/view-items.ts";
import type { Source } from "../domain/source.ts";
import { SetupFailed } from "../infrastructure/setup-failed.ts";
import { Tokens } from "../tokens.ts";
import { causeText, named, type Wiring } from "./wiring.ts";

/** The sources, who is asked about by them, and what clients are answered. */
export function provideSources({ config, disposal, provide }: Wiring): void {
  provide(Tokens.Background, () => []);

  provide(Tokens.Sources, (c) => {
    const log = c.resolve(Tokens.Log);
    const store = (connection: string) => named(c.resolve(Tokens.Stores), connection);
    const background = c.resolve(Tokens.Background);
    return config.sources.map(({ create, kind, isReplayable: _, setting: __, ...source }) => {
      const warn = (fields: Record<string, unknown>, sentence: string) =>
        log.warn({ source: source.name, ...fields }, sentence);
      const onServing = (begin: () => void) => void background.push({ source: source.name, begin });
      try {
        const resolver = create({ name: source.name, store, onServing, warn });
        disposal.defer(async () => resolver[Symbol.asyncDispose]?.());
        return { ...source, resolver };
      } catch (cause) {
        throw new SetupFailed(
          `the source "${source.name}" (${kind}) cannot be made: ${causeText(cause)}; mend its options or its file`,
        );
      }
    });
  });

  provide(Tokens.AwaitSources, (c) => {
    const sources = c.resolve(Tokens.Sources);
    return new AwaitSources(sources, c.resolve(Tokens.Background), c.resolve(Tokens.Clock));
  });

  provide(Tokens.SourceStates, (c) => {
    const log = c.resolve(Tokens.Log);
    return new SourceStates(
      {
        failed: (source, cause) => log.error({ source, cause: causeText(cause) }, "source failed"),
        recovered: (source) => log.info({ source }, "source answers again"),
        foundInvalid: (source, cause) => log.error({ source, cause: causeText(cause) }, "source found invalid data"),
      },
      c.resolve(Tokens.Clock),
    );
  });

  provide(Tokens.LocateCaller, (c) => {
    const setsOf = (connection: string) => named(c.resolve(Tokens.Stores), connection).sets;
    return new LocateCaller(config.locators.map((make) => make(setsOf)));
  });

  provide(
    Tokens.IdentifyCaller,
    (c) =>
      new IdentifyCaller(
        c.resolve(Tokens.TokenResolver),
        c.resolve(Tokens.LocateCaller),
        c.resolve(Tokens.SourceStates),
        c.resolve(Tokens.Clock),
      ),
  );

  provide(Tokens.CallContext, (c) => {
    const reads = new FieldsRead(c.resolve(Tokens.Sources));
    return new CallContext(config.context, c.resolve(Tokens.LocateCaller), reads);
  });

  provide(
    Tokens.ResolveFeatures,
    (c) =>
      new ResolveFeatures(
        c.resolve(Tokens.IdentifyCaller),
        c.resolve(Tokens.Sources),
        c.resolve(Tokens.SourceStates),
        saidBefore(),
      ),
  );

  provide(Tokens.SearchItems, (c) => new SearchItems(providersIn(c.resolve(Tokens.Sources))));

  provide(Tokens.ViewItems, (c) => {
    const sources = c.resolve(Tokens.Sources);
    return new ViewItems(
      providersIn(sources),
      sources.map(({ name }) => name),
    );
  });

  provide(Tokens.CheckReadiness, (c) => {
    const connections = [...c.resolve(Tokens.Connections)].map(([name, connection]) => ({
      name,
      check: () => connection.check(),
      isRemembered: () => c.resolve(Tokens.Snapshot)?.stoodInFor(name, config.tokens?.connection === name) ?? false,
    }));
    return new CheckReadiness(connections, c.resolve(Tokens.Sources), c.resolve(Tokens.Clock));
  });
}

/** So many features are kept in all: what thousands share, and not what each of a hundred thousand users was told. */
const mostKept = 100_000;

const saidBefore = () =>
  new LRUCache<string, Said>({ maxSize: mostKept, sizeCalculation: ({ features }) => features.size + 1 });

const providersIn = (sources: readonly Source[]): readonly Provider[] =>
  sources.flatMap(({ name, resolver: { items } }) => (items ? [{ name, items }] : []));
