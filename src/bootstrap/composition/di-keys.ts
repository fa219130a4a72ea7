import type { InjectionToken } from "tsyringe";
import type { CallContext } from "../../adapters/http/client/call-context.ts";
import type { EventStreams } from "../../adapters/http/events/event-streams.ts";
import type { HttpCounters } from "../../adapters/http/operations/http-counters.ts";
import type { AcceptStores } from "../../application/admin/accept-stores.ts";
import type { Catalogue } from "../../application/admin/catalogue.ts";
import type { ChangeSet } from "../../application/admin/change-set.ts";
import type { IdentifyOperator } from "../../application/admin/identify-operator.ts";
import type { ListFeatures } from "../../application/admin/list-features.ts";
import type { ManageCredentials } from "../../application/admin/manage-credentials.ts";
import type { ManageRules } from "../../application/admin/manage-rules.ts";
import type { ManageTokens } from "../../application/admin/manage-tokens.ts";
import type { SourceSets } from "../../application/admin/source-sets.ts";
import type { ViewCache } from "../../application/admin/view-cache.ts";
import type { ViewUser } from "../../application/admin/view-user.ts";
import type { AwaitSources, Background } from "../../application/evaluation/await-sources.ts";
import type { CheckChanges } from "../../application/evaluation/check-changes.ts";
import type { CheckReadiness } from "../../application/evaluation/check-readiness.ts";
import type { ContextFields } from "../../application/evaluation/context-fields.ts";
import type { EvaluateFeatures } from "../../application/evaluation/evaluate-features.ts";
import type { EvaluateFlags } from "../../application/evaluation/evaluate-flags.ts";
import type { EvaluateSources } from "../../application/evaluation/evaluate-sources.ts";
import type { IdentifyCaller } from "../../application/evaluation/identify-caller.ts";
import type { LocateCaller } from "../../application/evaluation/locate-caller.ts";
import type { ReadKey } from "../../application/evaluation/read-key.ts";
import type { RegisterFeatures } from "../../application/evaluation/register-features.ts";
import type { SourceStates } from "../../application/evaluation/source-states.ts";
import type { CheckEventLog } from "../../application/events/check-event-log.ts";
import type { ExpireEvents } from "../../application/events/expire-events.ts";
import type { HistoryCoverage } from "../../application/events/history-coverage.ts";
import type { IdentifyStores } from "../../application/events/identify-stores.ts";
import type { OutboxRelay } from "../../application/events/outbox-relay.ts";
import type { OutboxRelayJob } from "../../application/events/outbox-relay-job.ts";
import type { ReadEvents } from "../../application/events/read-events.ts";
import type { RecordEvent } from "../../application/events/record-event.ts";
import type { TailEvents } from "../../application/events/tail-events.ts";
import type { CompareMoments } from "../../application/explain/compare-moments.ts";
import type { EvaluateEachSource } from "../../application/explain/evaluate-each-source.ts";
import type { ExplainFeatures } from "../../application/explain/explain-features.ts";
import type { FeaturesAsOf } from "../../application/explain/features-as-of.ts";
import type { SearchItems } from "../../application/feeds/search-items.ts";
import type { ViewFeedItems } from "../../application/feeds/view-feed-items.ts";
import type { ExportData } from "../../application/transfer/export-data.ts";
import type { ImportData } from "../../application/transfer/import-data.ts";
import type { LoadDemo } from "../../application/transfer/load-demo.ts";
import type { IdempotencyKeys } from "../../domain/admin/idempotency-keys.ts";
import type { ManagedSource } from "../../domain/admin/managed-source.ts";
import type { Outbox } from "../../domain/admin/outbox.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import type { FeatureRegister } from "../../domain/evaluation/feature-register.ts";
import type { ConfirmingFeed } from "../../domain/evaluation/invalidation-feed.ts";
import type { TokenResolver } from "../../domain/evaluation/token-resolver.ts";
import type { EventLog } from "../../domain/events/event-log.ts";
import type { History } from "../../domain/events/history.ts";
import type { TimeZone } from "../../domain/targeting/wall-clock.ts";
import type { CachedFeatureSets } from "../../infrastructure/cache/cached-feature-sets.ts";
import type { CachedRules } from "../../infrastructure/cache/cached-rules.ts";
import type { CachedTokenResolver } from "../../infrastructure/cache/cached-token-resolver.ts";
import type { CachedValues } from "../../infrastructure/cache/cached-values.ts";
import type { Snapshot } from "../../infrastructure/cache/snapshot.ts";
import type { Connection } from "../../infrastructure/connection.ts";
import type { OpenEventLog } from "../../infrastructure/event-log/open-event-log.ts";
import type { InstanceChannel } from "../../infrastructure/instance-channel.ts";
import type { Log } from "../../infrastructure/logger.ts";
import type { CommandTimes, Metrics } from "../../infrastructure/metrics/metrics.ts";

/** The secret of the first operator credential, and the path of its file if the file is new. */
type FirstCredential = { readonly secret: string; readonly newFile: string | undefined };

/** A typed container key, so that a wrong binding does not compile. */
const token = <T>(name: string): InjectionToken<T> => Symbol(name);

/** The keys of the container. Each names a singleton that is created on first use. */
export const DiKeys = {
  Log: token<Log>("Log"),
  Clock: token<() => Instant>("Clock"),
  TimeZone: token<TimeZone>("TimeZone"),
  NewId: token<() => string>("NewId"),
  InstanceChannel: token<InstanceChannel>("InstanceChannel"),
  Connections: token<ReadonlyMap<string, Connection>>("Connections"),
  Feeds: token<ReadonlyMap<string, ConfirmingFeed>>("Feeds"),
  CachedTokens: token<CachedTokenResolver | undefined>("CachedTokens"),
  CachedSets: token<ReadonlyMap<string, CachedFeatureSets>>("CachedSets"),
  CachedValues: token<ReadonlyMap<string, CachedValues>>("CachedValues"),
  CachedRules: token<ReadonlyMap<string, CachedRules>>("CachedRules"),
  Snapshot: token<Snapshot | undefined>("Snapshot"),
  TokenResolver: token<TokenResolver>("TokenResolver"),
  ViewFeedItems: token<ViewFeedItems>("ViewFeedItems"),
  SearchItems: token<SearchItems>("SearchItems"),
  Background: token<Background[]>("Background"),
  AwaitSources: token<AwaitSources>("AwaitSources"),
  Sources: token<readonly ManagedSource[]>("Sources"),
  SourceStates: token<SourceStates>("SourceStates"),
  IdentifyCaller: token<IdentifyCaller>("IdentifyCaller"),
  CallContext: token<CallContext>("CallContext"),
  LocateCaller: token<LocateCaller>("LocateCaller"),
  ContextFields: token<ContextFields>("ContextFields"),
  EvaluateSources: token<EvaluateSources>("EvaluateSources"),
  EvaluateFeatures: token<EvaluateFeatures>("EvaluateFeatures"),
  FeatureRegister: token<FeatureRegister | undefined>("FeatureRegister"),
  RegisterFeatures: token<RegisterFeatures | undefined>("RegisterFeatures"),
  EvaluateFlags: token<EvaluateFlags>("EvaluateFlags"),
  EvaluateEachSource: token<EvaluateEachSource>("EvaluateEachSource"),
  FeaturesAsOf: token<FeaturesAsOf>("FeaturesAsOf"),
  ExplainFeatures: token<ExplainFeatures>("ExplainFeatures"),
  CompareMoments: token<CompareMoments>("CompareMoments"),
  CheckReadiness: token<CheckReadiness>("CheckReadiness"),
  CheckChanges: token<CheckChanges>("CheckChanges"),
  SourceSets: token<SourceSets>("SourceSets"),
  IdempotencyKeys: token<IdempotencyKeys | undefined>("IdempotencyKeys"),
  Catalogue: token<Catalogue>("Catalogue"),
  ListFeatures: token<ListFeatures>("ListFeatures"),
  ViewUser: token<ViewUser>("ViewUser"),
  ChangeSet: token<ChangeSet>("ChangeSet"),
  ManageRules: token<ManageRules>("ManageRules"),
  ManageTokens: token<ManageTokens>("ManageTokens"),
  FirstCredential: token<FirstCredential | undefined>("FirstCredential"),
  ManageCredentials: token<ManageCredentials>("ManageCredentials"),
  IdentifyOperator: token<IdentifyOperator>("IdentifyOperator"),
  LoadDemo: token<LoadDemo>("LoadDemo"),
  ImportData: token<ImportData>("ImportData"),
  ExportData: token<ExportData>("ExportData"),
  AcceptStores: token<AcceptStores>("AcceptStores"),
  ReadKey: token<ReadKey>("ReadKey"),
  ViewCache: token<ViewCache>("ViewCache"),
  OpenEventLog: token<OpenEventLog>("OpenEventLog"),
  EventLog: token<EventLog>("EventLog"),
  History: token<History>("History"),
  IdentifyStores: token<IdentifyStores>("IdentifyStores"),
  HistoryCoverage: token<HistoryCoverage>("HistoryCoverage"),
  Outboxes: token<ReadonlyMap<string, Outbox>>("Outboxes"),
  OutboxRelay: token<OutboxRelay>("OutboxRelay"),
  OutboxRelayJobs: token<ReadonlyMap<string, OutboxRelayJob>>("OutboxRelayJobs"),
  CheckEventLog: token<CheckEventLog>("CheckEventLog"),
  ReadEvents: token<ReadEvents>("ReadEvents"),
  RecordEvent: token<RecordEvent>("RecordEvent"),
  ExpireEvents: token<ExpireEvents | undefined>("ExpireEvents"),
  TailEvents: token<TailEvents>("TailEvents"),
  EventStreams: token<EventStreams>("EventStreams"),
  HttpCounters: token<HttpCounters>("HttpCounters"),
  CommandTimes: token<CommandTimes>("CommandTimes"),
  CommandTimeoutMs: token<number>("CommandTimeoutMs"),
  Metrics: token<Metrics>("Metrics"),
} as const;
