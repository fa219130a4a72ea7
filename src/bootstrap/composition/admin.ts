import { acceptStores } from "../../application/admin/accept-stores.ts";
import { Catalogue } from "../../application/admin/catalogue.ts";
import { ChangeSet } from "../../application/admin/change-set.ts";
import { EditableSources } from "../../application/admin/editable-sources.ts";
import { IdentifyOperator } from "../../application/admin/identify-operator.ts";
import { ManageCredentials } from "../../application/admin/manage-credentials.ts";
import { ManageRules } from "../../application/admin/manage-rules.ts";
import { ManageTokens } from "../../application/admin/manage-tokens.ts";
import { Sessions } from "../../application/admin/sessions.ts";
import { type CachedSets, viewCache } from "../../application/admin/view-cache.ts";
import { catalogueCollection } from "../../application/events/change-event.ts";
import { AssessImpact, type EvaluationCounts } from "../../application/features/assess-impact.ts";
import { FeatureChanges } from "../../application/features/feature-changes.ts";
import { FeatureHolders } from "../../application/features/feature-holders.ts";
import { FindWindows } from "../../application/features/find-windows.ts";
import { ListFeatures } from "../../application/features/list-features.ts";
import { RegisterFeatures } from "../../application/features/register-features.ts";
import { viewFeature } from "../../application/features/view-feature.ts";
import { ChangeTargets } from "../../application/reverts/change-targets.ts";
import { FindEvent } from "../../application/reverts/find-event.ts";
import { RevertEvent } from "../../application/reverts/revert-event.ts";
import type { UsageSeries } from "../../application/usage/read-usage.ts";
import { FindUsers } from "../../application/users/find-users.ts";
import { viewUser } from "../../application/users/view-user.ts";
import { firstCredential } from "../../domain/admin/credential.ts";
import type { EditableSet } from "../../domain/admin/editable-set.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import { CachedRules } from "../../infrastructure/cache/cached-rules.ts";
import { maxLocations } from "../../infrastructure/location/user-locator.ts";
import { credentialIn, newSecret, secretDigest } from "../../infrastructure/secrets/credential-secret.ts";
import { Seal } from "../../infrastructure/secrets/seal.ts";
import { collectionKey } from "../../infrastructure/stores/store-keys.ts";
import type { Evaluation } from "./evaluation.ts";
import type { Events } from "./events.ts";
import type { Explain } from "./explain.ts";
import { lazy, once } from "./lazy.ts";
import type { Stores } from "./stores.ts";
import { causeText, type Wiring } from "./wiring.ts";

export type Admin = ReturnType<typeof adminOf>;

/** The secret of the first operator credential, and the path of its file if the file is new. */
type FirstCredential = { readonly secret: string; readonly newFile: string | undefined };

/** Administration: reading and changing sets, rules, tokens and descriptions, and the operators' credentials. */
export function adminOf(wiring: Wiring, stores: Stores, evaluation: Evaluation, events: Events, explain: Explain) {
  const { config, env, disposal, now, newId } = wiring;
  const { connectionOf } = stores;
  const invalidate = (key: string) => wiring.channel.invalidate(key);

  const editableSources = once(() => {
    const locations = [...config.keys].flatMap(([connection, { locations }]) =>
      locations.map((key): EditableSet => {
        const { sets, storedLocations, index, changes } = connectionOf(connection);
        const listed = storedLocations && { listed: storedLocations };
        return { key, connection, limit: maxLocations, sets: storedLocations ?? sets, index, changes, ...listed };
      }),
    );
    return new EditableSources(evaluation.sources, locations);
  });

  const changeSet = once(() => {
    const confirm = (connection: string) => stores.invalidationFeedOf(connection).confirm();
    return new ChangeSet(editableSources(), newId, invalidate, confirm);
  });

  const manageTokens = once(() => {
    const { tokens } = stores;
    return new ManageTokens(tokens?.store, newId, async (changed) => {
      const key = "key" in changed ? changed.key : tokens?.keyOf(changed.token);
      if (key !== undefined) await invalidate(key);
    });
  });

  const firstStore = once(() => {
    const { firstConnection } = evaluation;
    return firstConnection === undefined ? undefined : connectionOf(firstConnection);
  });

  const catalogue = once(() => {
    const { firstConnection: name } = evaluation;
    if (name === undefined) return new Catalogue(undefined, newId, now);
    const { documents, rules } = connectionOf(name);
    const cached = () => {
      const collections = new Set([catalogueCollection]);
      return new CachedRules(rules, collections, stores.invalidationFeedOf(name), stores.featureLimits, now);
    };
    return new Catalogue({ documents, rules: wiring.isService ? cached() : rules }, newId, now);
  });

  const listFeatures = once(() => {
    const changes = new FeatureChanges(stores.eventLog.log, events.history, [...new Set(config.stores.values())]);
    const past = (at: Instant) => new EditableSources(explain.pastSources(at));
    return new ListFeatures(editableSources(), catalogue(), changes, events.readUsage, now, past);
  });

  /** Evaluations of features in the last hour. */
  async function evaluationsLastHour(features: readonly string[]): Promise<EvaluationCounts> {
    const span = events.readUsage.spanOf({ from: now() - 3_600_000, step: "minute" });
    const found = span && (await events.readUsage.list(span, features).catch(() => undefined));
    const sumOf = ({ on, off }: UsageSeries) => [...on, ...off].reduce((sum, count) => sum + count, 0);
    return found && new Map(found.entries().map(([feature, series]) => [feature, sumOf(series)]));
  }

  /** Operator credentials are stored on the connection of the tokens. */
  const credentialStore = once(() => {
    const name = config.tokens?.connection ?? Object.keys(config.connections)[0];
    return name === undefined ? undefined : connectionOf(name).documents;
  });

  const first = once((): FirstCredential | undefined => {
    const secret = env["TIDEGATE_ADMIN_TOKEN"];
    if (secret) return { secret, newFile: undefined };
    const { tokenFile } = config.admin;
    if (!tokenFile) return undefined;
    const found = credentialIn(tokenFile);
    return { secret: found.secret, newFile: found.isNew ? tokenFile : undefined };
  });

  const identifyOperator = once(() => {
    const { secret } = first() ?? {};
    return new IdentifyOperator(credentialStore(), evaluation.tokenResolver, {
      digestOf: secretDigest,
      first: secret === undefined ? undefined : { secret, credential: firstCredential },
      maxStaleMs: config.cache.maxStaleSeconds.tokens * 1_000,
      now: () => performance.now(),
    });
  });

  /** `undefined` without a store for the secret of sessions. */
  const sessions = once(() => {
    const { secrets, idempotencyKeys } = firstStore() ?? {};
    if (!secrets || !idempotencyKeys) return undefined;
    return new Sessions(secrets, idempotencyKeys, identifyOperator(), {
      sealingWith: (secret) => new Seal(secret),
      digestOf: secretDigest,
      newId,
      now,
      lifetimeMs: config.admin.sessionHours * 3_600_000,
    });
  });

  const changeTargets = once(() => new ChangeTargets(editableSources(), stores.storeOf));
  const findEvent = once(
    () => new FindEvent(stores.eventLog.log, () => events.outboxRelay.relayAll(), changeTargets()),
  );
  const manageRules = once(
    () => new ManageRules(editableSources(), newId, (collection) => invalidate(collectionKey(collection))),
  );

  return lazy({
    changeTargets,
    findEvent,
    revertEvent: () =>
      new RevertEvent(findEvent(), changeTargets(), {
        sources: editableSources(),
        changeSet: changeSet(),
        rules: manageRules(),
        catalogue: catalogue(),
      }),
    editableSources,
    changeSet,
    manageTokens,
    catalogue,
    firstCredential: first,
    documents: () => firstStore()?.documents,
    idempotencyKeys: () => firstStore()?.idempotencyKeys,
    manageRules,
    listFeatures,
    viewFeature: () => viewFeature(listFeatures(), events.history, () => events.outboxRelay.relayAll()),
    assessImpact: () => new AssessImpact(editableSources(), now, evaluationsLastHour),
    featureHolders: () => new FeatureHolders(editableSources()),
    findWindows: () => new FindWindows(editableSources(), manageRules(), now),
    findUsers: () => new FindUsers(editableSources(), evaluation.tokenResolver),
    /** `undefined` if there is no store for known features. */
    registerFeatures: () => {
      const { featureRegister: register } = evaluation;
      const lease = firstStore()?.lease("register");
      if (!register || !lease) return undefined;
      const failed = (cause: unknown) =>
        wiring.log.warn({ cause: causeText(cause) }, "cannot register known features; next attempt in 10 min");
      const job = new RegisterFeatures(listFeatures(), register, lease, now, failed);
      disposal.defer(() => job.stop());
      return job;
    },
    viewUser: () => viewUser(editableSources(), changeSet(), evaluation.evaluateFeatures, manageTokens()),
    viewCache: () => {
      const cached = [...stores.cachedSets].map(([name, { cache }]): [string, CachedSets] => [
        name,
        { peek: (key) => cache.peek(key), store: connectionOf(name).sets },
      ]);
      return viewCache(evaluation.sources, new Map(cached), now);
    },
    acceptStores: () => acceptStores(stores.connections),
    manageCredentials: () => new ManageCredentials(credentialStore(), newSecret, newId, now),
    identifyOperator,
    sessions,
    /** A text that signs in once with the first credential; `undefined` without one, or without a store. */
    signInLink: () => async () => {
      const { secret } = first() ?? {};
      return secret === undefined ? undefined : sessions()?.link(secret, firstCredential);
    },
  });
}
