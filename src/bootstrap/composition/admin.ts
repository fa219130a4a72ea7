import type { DependencyContainer } from "tsyringe";
import { Catalogue } from "../../application/admin/catalogue.ts";
import { ChangeSet } from "../../application/admin/change-set.ts";
import { IdentifyOperator } from "../../application/admin/identify-operator.ts";
import { ListFeatures } from "../../application/admin/list-features.ts";
import { ManageCredentials } from "../../application/admin/manage-credentials.ts";
import { ManageRules } from "../../application/admin/manage-rules.ts";
import { ManageTokens } from "../../application/admin/manage-tokens.ts";
import { SourceSets } from "../../application/admin/source-sets.ts";
import { ViewUser } from "../../application/admin/view-user.ts";
import { CheckChanges } from "../../application/evaluation/check-changes.ts";
import { RegisterFeatures } from "../../application/evaluation/register-features.ts";
import type { TokensOfData } from "../../application/transfer/data-line.ts";
import { ExportData } from "../../application/transfer/export-data.ts";
import { ImportData } from "../../application/transfer/import-data.ts";
import { LoadDemo } from "../../application/transfer/load-demo.ts";
import { firstCredential } from "../../domain/admin/credential.ts";
import type { DocumentStore } from "../../domain/admin/document-store.ts";
import type { EditableSet } from "../../domain/admin/editable-set.ts";
import type { ManagedSource } from "../../domain/admin/managed-source.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import { CachedFeatureRegister } from "../../infrastructure/cache/cached-feature-register.ts";
import type { Changeable, Connection } from "../../infrastructure/connection.ts";
import { credentialIn, newSecret, secretDigest } from "../../infrastructure/credential-secret.ts";
import { mostPlaces } from "../../infrastructure/location/user-locator.ts";
import { collectionKey, isOwnKey, registerKey } from "../../infrastructure/redis/redis-keys.ts";
import { pepperMark } from "../../infrastructure/token-key.ts";
import type { Config } from "../config/config.ts";
import { DiKeys } from "./di-keys.ts";
import { pastSources } from "./moments.ts";
import { limitsFor } from "./stores.ts";
import { pepperOf, tokenKey } from "./token-keys.ts";
import { causeText, connectionOf, feedOf, type Wiring } from "./wiring.ts";

/** Provides the admin use cases, the operator credentials and the stores that they change. */
export function provideAdmin({ config, env, disposal, provide }: Wiring): void {
  const invalidate = (c: DependencyContainer, key: string) => c.resolve(DiKeys.InstanceChannel).invalidate(key);

  provide(DiKeys.SourceSets, (c) => {
    const places = [...config.keys].flatMap(([connection, { places }]) =>
      places.map((key): EditableSet => {
        const { sets, places: asSets = sets, index, changes } = connectionOf(c, connection);
        return { key, connection, limit: mostPlaces, sets: asSets, index, changes };
      }),
    );
    return new SourceSets(c.resolve(DiKeys.Sources), places);
  });

  provide(DiKeys.ChangeSet, (c) => {
    return new ChangeSet(
      c.resolve(DiKeys.SourceSets),
      c.resolve(DiKeys.NewId),
      (key) => invalidate(c, key),
      (connection) => feedOf(c, connection).everywhere(),
    );
  });

  provide(DiKeys.CheckChanges, (c) => {
    const log = c.resolve(DiKeys.Log);
    const connections = [...c.resolve(DiKeys.Connections)];
    const sources = c.resolve(DiKeys.Sources);
    const check = new CheckChanges(
      connections.map(([name, connection]) => {
        const changeable = changeableIn(name, sources, config, env);
        return { name, probe: () => connection.probe(changeable) };
      }),
      {
        refused: (connection, reason) => log.error({ connection, reason }, "store rejects changes"),
        accepted: (connection) => log.info({ connection }, "store accepts changes again"),
      },
    );
    for (const [, connection] of connections) connection.onConnect(() => void check.check());
    return check;
  });

  provide(DiKeys.ManageRules, (c) => {
    return new ManageRules(c.resolve(DiKeys.SourceSets), c.resolve(DiKeys.NewId), (collection) =>
      invalidate(c, collectionKey(collection)),
    );
  });

  provide(DiKeys.ManageTokens, (c) => {
    const { tokens } = config;
    if (!tokens) return new ManageTokens(undefined, c.resolve(DiKeys.NewId));
    const keyOf = tokenKey(tokens, env);
    return new ManageTokens(connectionOf(c, tokens.connection).tokenStore(keyOf), c.resolve(DiKeys.NewId), (changed) =>
      invalidate(c, "key" in changed ? changed.key : keyOf(changed.token)),
    );
  });

  const firstConnection = (c: DependencyContainer): string | undefined => {
    const { sources } = c.resolve(DiKeys.SourceSets);
    const [first] = [
      ...sources.flatMap(({ editableSet }) => editableSet ?? []),
      ...sources.flatMap(({ editableRules }) => editableRules ?? []),
    ];
    return first?.connection;
  };
  const firstStore = (c: DependencyContainer): Connection | undefined => {
    const name = firstConnection(c);
    return name === undefined ? undefined : connectionOf(c, name);
  };

  provide(DiKeys.IdempotencyKeys, (c) => firstStore(c)?.claims);

  provide(
    DiKeys.Catalogue,
    (c) => new Catalogue(firstStore(c)?.documents, c.resolve(DiKeys.NewId), c.resolve(DiKeys.Clock)),
  );

  provide(DiKeys.FeatureRegister, (c) => {
    const name = firstConnection(c);
    if (name === undefined) return undefined;
    const { register } = connectionOf(c, name);
    const limits = limitsFor(config.cache, config.cache.maxStaleSeconds.features);
    return new CachedFeatureRegister(register, registerKey, feedOf(c, name), limits, c.resolve(DiKeys.Clock));
  });

  provide(DiKeys.RegisterFeatures, (c) => {
    const register = c.resolve(DiKeys.FeatureRegister);
    const lease = firstStore(c)?.lease("register");
    if (!register || !lease) return undefined;
    const log = c.resolve(DiKeys.Log);
    const failed = (cause: unknown) =>
      log.warn({ cause: causeText(cause) }, "features cannot be registered as known; next attempt in a minute");
    const job = new RegisterFeatures(c.resolve(DiKeys.ListFeatures), register, lease, c.resolve(DiKeys.Clock), failed);
    disposal.defer(() => job.stop());
    return job;
  });

  provide(DiKeys.ListFeatures, (c) => {
    const past = (at: Instant) => new SourceSets(pastSources(c, config, at));
    return new ListFeatures(c.resolve(DiKeys.SourceSets), c.resolve(DiKeys.Catalogue), c.resolve(DiKeys.Clock), past);
  });

  provide(
    DiKeys.ViewUser,
    (c) =>
      new ViewUser(
        c.resolve(DiKeys.SourceSets),
        c.resolve(DiKeys.ChangeSet),
        c.resolve(DiKeys.EvaluateFeatures),
        c.resolve(DiKeys.ManageTokens),
      ),
  );

  provide(DiKeys.FirstCredential, () => {
    const secret = env["TIDEGATE_ADMIN_TOKEN"];
    if (secret) return { secret, newFile: undefined };
    const { tokenFile } = config.admin;
    if (!tokenFile) return undefined;
    const found = credentialIn(tokenFile);
    return { secret: found.secret, newFile: found.isNew ? tokenFile : undefined };
  });

  provide(DiKeys.ManageCredentials, (c) => {
    return new ManageCredentials(
      credentialStore(c, config),
      newSecret,
      c.resolve(DiKeys.NewId),
      c.resolve(DiKeys.Clock),
    );
  });

  provide(DiKeys.IdentifyOperator, (c) => {
    const first = c.resolve(DiKeys.FirstCredential);
    return new IdentifyOperator(credentialStore(c, config), c.resolve(DiKeys.TokenResolver), {
      digestOf: secretDigest,
      first: first && { secret: first.secret, credential: firstCredential },
      maxStaleMs: config.cache.maxStaleSeconds.tokens * 1_000,
      now: () => performance.now(),
    });
  });

  provide(DiKeys.LoadDemo, (c) => {
    const connections = [...c.resolve(DiKeys.Connections).values()];
    const isEmpty = async () => (await Promise.all(connections.map((each) => each.isEmpty()))).every(Boolean);
    return new LoadDemo(isEmpty, c.resolve(DiKeys.ChangeSet), c.resolve(DiKeys.ManageTokens));
  });

  const tokensOfData = (c: DependencyContainer): TokensOfData | undefined => {
    const { tokens } = config;
    if (!tokens) return undefined;
    const store = connectionOf(c, tokens.connection).tokenStore(tokenKey(tokens, env));
    return { store, pepper: tokens.layout === "hashed" ? pepperMark(pepperOf(tokens, env)) : undefined };
  };

  provide(DiKeys.ImportData, (c) => {
    const catalogue = c.resolve(DiKeys.Catalogue);
    const { documents } = firstStore(c) ?? {};
    return new ImportData(c.resolve(DiKeys.SourceSets), tokensOfData(c), documents, catalogue, c.resolve(DiKeys.Clock));
  });

  provide(
    DiKeys.ExportData,
    (c) => new ExportData(c.resolve(DiKeys.SourceSets), tokensOfData(c), c.resolve(DiKeys.Catalogue), isOwnKey),
  );
}

/**
 * The sets and tokens that operators may change in the store of a connection. Key templates are filled with "probe".
 */
function changeableIn(
  name: string,
  sources: readonly ManagedSource[],
  { keys, tokens }: Config,
  env: NodeJS.ProcessEnv,
): Changeable {
  const stored = sources
    .flatMap(({ editableSet }) => editableSet ?? [])
    .filter(({ connection }) => connection === name);
  return {
    sets: stored.flatMap(({ key }) => key.keyOf({ userId: "probe", location: "probe" }) ?? []),
    collections: [...(keys.get(name)?.collections ?? [])],
    ...(tokens?.connection === name && { tokenKey: tokenKey(tokens, env) }),
  };
}

/** Operator credentials are stored on the connection of the tokens. */
function credentialStore(c: DependencyContainer, { tokens, connections }: Config): DocumentStore | undefined {
  const name = tokens?.connection ?? Object.keys(connections)[0];
  return name === undefined ? undefined : connectionOf(c, name).documents;
}
