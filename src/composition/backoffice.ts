import type { DependencyContainer } from "tsyringe";
import { settingCheck } from "../adapters/setting-check.ts";
import { Catalogue } from "../application/catalogue.ts";
import { ChangeSet } from "../application/change-set.ts";
import { CheckChanges } from "../application/check-changes.ts";
import type { TokensOfData } from "../application/data-line.ts";
import { ExportData } from "../application/export-data.ts";
import { IdentifyOperator } from "../application/identify-operator.ts";
import { ImportData } from "../application/import-data.ts";
import { ListFeatures } from "../application/list-features.ts";
import { LoadDemo } from "../application/load-demo.ts";
import { ManageCredentials } from "../application/manage-credentials.ts";
import { ManageSettings } from "../application/manage-settings.ts";
import { ManageTokens } from "../application/manage-tokens.ts";
import { type KnownSource, SourceSets } from "../application/source-sets.ts";
import { ViewUser } from "../application/view-user.ts";
import type { Config } from "../config.ts";
import { firstCredential } from "../domain/credential.ts";
import type { DocumentStore } from "../domain/document-store.ts";
import type { Instant } from "../domain/evaluation-context.ts";
import type { Source } from "../domain/source.ts";
import type { StoredSet } from "../domain/stored-set.ts";
import type { Changeable, Connection } from "../infrastructure/connection.ts";
import { credentialIn, newSecret, secretDigest } from "../infrastructure/credential-secret.ts";
import { mostPlaces } from "../infrastructure/location/user-locator.ts";
import { collectionKey, isOwnKey } from "../infrastructure/redis/redis-keys.ts";
import { pepperMark } from "../infrastructure/token-key.ts";
import { Tokens } from "../tokens.ts";
import { pastSources } from "./moments.ts";
import { pepperOf, tokenKey } from "./token-keys.ts";
import { connectionOf, feedOf, type Wiring } from "./wiring.ts";

/** What operators do, and who they are. */
export function provideBackoffice({ config, env, provide }: Wiring): void {
  const invalidate = (c: DependencyContainer, key: string) => c.resolve(Tokens.InstanceChannel).invalidate(key);

  const knownSources = (sources: readonly Source[], asKnown = (stored: StoredSet) => stored) =>
    sources.map((source, index): KnownSource => {
      const { kind = "", setting } = config.sources[index] ?? {};
      const { stored, settings } = source.resolver;
      return {
        ...source,
        kind,
        stored: stored && asKnown(stored),
        settings: settings && setting && { ...settings, check: settingCheck(setting) },
      };
    });

  provide(Tokens.SourceSets, (c) => {
    const asStored = ({ sets: _, ...stored }: StoredSet) => ({
      ...stored,
      sets: connectionOf(c, stored.connection).sets,
    });
    const places = [...config.keys].flatMap(([connection, { places }]) =>
      places.map((key): StoredSet => {
        const { sets, places: asSets = sets, changes } = connectionOf(c, connection);
        return { key, connection, limit: mostPlaces, sets: asSets, changes };
      }),
    );
    return new SourceSets(knownSources(c.resolve(Tokens.Sources), asStored), places);
  });

  provide(Tokens.ChangeSet, (c) => {
    return new ChangeSet(
      c.resolve(Tokens.SourceSets),
      c.resolve(Tokens.NewId),
      (key) => invalidate(c, key),
      (connection) => feedOf(c, connection).everywhere(),
    );
  });

  provide(Tokens.CheckChanges, (c) => {
    const log = c.resolve(Tokens.Log);
    const connections = [...c.resolve(Tokens.Connections)];
    const sources = c.resolve(Tokens.Sources);
    const check = new CheckChanges(
      connections.map(([name, connection]) => {
        const changeable = changeableIn(name, sources, config, env);
        return { name, probe: () => connection.probe(changeable) };
      }),
      {
        refused: (connection, reason) => log.error({ connection, reason }, "the store refuses changes"),
        accepted: (connection) => log.info({ connection }, "the store accepts changes again"),
      },
    );
    for (const [, connection] of connections) connection.onConnect(() => void check.check());
    return check;
  });

  provide(Tokens.ManageSettings, (c) => {
    return new ManageSettings(c.resolve(Tokens.SourceSets), c.resolve(Tokens.NewId), (collection) =>
      invalidate(c, collectionKey(collection)),
    );
  });

  provide(Tokens.ManageTokens, (c) => {
    const { tokens } = config;
    if (!tokens) return new ManageTokens(undefined, c.resolve(Tokens.NewId));
    const keyOf = tokenKey(tokens, env);
    return new ManageTokens(connectionOf(c, tokens.connection).tokenStore(keyOf), c.resolve(Tokens.NewId), (changed) =>
      invalidate(c, "key" in changed ? changed.key : keyOf(changed.token)),
    );
  });

  const firstStore = (c: DependencyContainer): Connection | undefined => {
    const { sources } = c.resolve(Tokens.SourceSets);
    const [first] = [
      ...sources.flatMap(({ stored }) => stored ?? []),
      ...sources.flatMap(({ resolver }) => resolver.settings ?? []),
    ];
    return first && connectionOf(c, first.connection);
  };

  provide(Tokens.Claims, (c) => firstStore(c)?.claims);

  provide(
    Tokens.Catalogue,
    (c) => new Catalogue(firstStore(c)?.documents, c.resolve(Tokens.NewId), c.resolve(Tokens.Clock)),
  );

  provide(Tokens.ListFeatures, (c) => {
    const past = (at: Instant) => new SourceSets(knownSources(pastSources(c, config, at)));
    return new ListFeatures(c.resolve(Tokens.SourceSets), c.resolve(Tokens.Catalogue), c.resolve(Tokens.Clock), past);
  });

  provide(
    Tokens.ViewUser,
    (c) =>
      new ViewUser(
        c.resolve(Tokens.SourceSets),
        c.resolve(Tokens.ChangeSet),
        c.resolve(Tokens.ResolveFeatures),
        c.resolve(Tokens.ManageTokens),
      ),
  );

  provide(Tokens.FirstCredential, () => {
    const secret = env["TIDEGATE_ADMIN_TOKEN"];
    if (secret) return { secret, newFile: undefined };
    const { tokenFile } = config.admin;
    if (!tokenFile) return undefined;
    const found = credentialIn(tokenFile);
    return { secret: found.secret, newFile: found.isNew ? tokenFile : undefined };
  });

  provide(Tokens.ManageCredentials, (c) => {
    return new ManageCredentials(
      credentialStore(c, config),
      newSecret,
      c.resolve(Tokens.NewId),
      c.resolve(Tokens.Clock),
    );
  });

  provide(Tokens.IdentifyOperator, (c) => {
    const first = c.resolve(Tokens.FirstCredential);
    return new IdentifyOperator(credentialStore(c, config), c.resolve(Tokens.TokenResolver), {
      digestOf: secretDigest,
      first: first && { secret: first.secret, credential: firstCredential },
      maxStaleMs: config.cache.maxStaleSeconds.tokens * 1_000,
      now: () => performance.now(),
    });
  });

  provide(Tokens.LoadDemo, (c) => {
    const connections = [...c.resolve(Tokens.Connections).values()];
    const isEmpty = async () => (await Promise.all(connections.map((each) => each.isEmpty()))).every(Boolean);
    return new LoadDemo(isEmpty, c.resolve(Tokens.ChangeSet), c.resolve(Tokens.ManageTokens));
  });

  const tokensOfData = (c: DependencyContainer): TokensOfData | undefined => {
    const { tokens } = config;
    if (!tokens) return undefined;
    const store = connectionOf(c, tokens.connection).tokenStore(tokenKey(tokens, env));
    return { store, pepper: tokens.layout === "hashed" ? pepperMark(pepperOf(tokens, env)) : undefined };
  };

  provide(Tokens.ImportData, (c) => {
    const catalogue = c.resolve(Tokens.Catalogue);
    const { documents } = firstStore(c) ?? {};
    return new ImportData(c.resolve(Tokens.SourceSets), tokensOfData(c), documents, catalogue, c.resolve(Tokens.Clock));
  });

  provide(
    Tokens.ExportData,
    (c) => new ExportData(c.resolve(Tokens.SourceSets), tokensOfData(c), c.resolve(Tokens.Catalogue), isOwnKey),
  );
}

/** What is changed in the store of a connection. A key that stands for others is made from the word "probe". */
function changeableIn(
  name: string,
  sources: readonly Source[],
  { keys, tokens }: Config,
  env: NodeJS.ProcessEnv,
): Changeable {
  const stored = sources
    .flatMap(({ resolver }) => resolver.stored ?? [])
    .filter(({ connection }) => connection === name);
  return {
    sets: stored.flatMap(({ key }) => key.keyOf({ userId: "probe", location: "probe" }) ?? []),
    collections: [...(keys.get(name)?.collections ?? [])],
    ...(tokens?.connection === name && { tokenKey: tokenKey(tokens, env) }),
  };
}

/** Where tokens are, credentials are too. */
function credentialStore(c: DependencyContainer, { tokens, connections }: Config): DocumentStore | undefined {
  const name = tokens?.connection ?? Object.keys(connections)[0];
  return name === undefined ? undefined : connectionOf(c, name).documents;
}
