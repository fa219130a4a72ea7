import type { InjectionToken } from "tsyringe";
import type { CallContext } from "./adapters/http/call-context.ts";
import type { Counts } from "./adapters/http/counts.ts";
import type { EventStreams } from "./adapters/http/event-streams.ts";
import type { LentStore } from "./adapters/source.ts";
import type { AcceptStores } from "./application/accept-stores.ts";
import type { AwaitSources, Background } from "./application/await-sources.ts";
import type { Catalogue } from "./application/catalogue.ts";
import type { ChangeSet } from "./application/change-set.ts";
import type { CheckChanges } from "./application/check-changes.ts";
import type { CheckReadiness } from "./application/check-readiness.ts";
import type { CheckRecords } from "./application/check-records.ts";
import type { CompareMoments } from "./application/compare-moments.ts";
import type { CompleteSince } from "./application/complete-since.ts";
import type { DrainOutboxes } from "./application/drain-outboxes.ts";
import type { ExpireActivity } from "./application/expire-activity.ts";
import type { ExplainFeatures } from "./application/explain-features.ts";
import type { ExportData } from "./application/export-data.ts";
import type { IdentifyCaller } from "./application/identify-caller.ts";
import type { IdentifyOperator } from "./application/identify-operator.ts";
import type { IdentifyStores } from "./application/identify-stores.ts";
import type { ImportData } from "./application/import-data.ts";
import type { KeepRecords } from "./application/keep-records.ts";
import type { ListFeatures } from "./application/list-features.ts";
import type { LoadDemo } from "./application/load-demo.ts";
import type { LocateCaller } from "./application/locate-caller.ts";
import type { ManageCredentials } from "./application/manage-credentials.ts";
import type { ManageSettings } from "./application/manage-settings.ts";
import type { ManageTokens } from "./application/manage-tokens.ts";
import type { ReadActivity } from "./application/read-activity.ts";
import type { ReadKey } from "./application/read-key.ts";
import type { RecallFeatures } from "./application/recall-features.ts";
import type { RecallItems } from "./application/recall-items.ts";
import type { RecallSets } from "./application/recall-sets.ts";
import type { RecallSettings } from "./application/recall-settings.ts";
import type { RecordActivity } from "./application/record-activity.ts";
import type { ResolveFeatures } from "./application/resolve-features.ts";
import type { SearchItems } from "./application/search-items.ts";
import type { SourceSets } from "./application/source-sets.ts";
import type { SourceStates } from "./application/source-states.ts";
import type { SurveySources } from "./application/survey-sources.ts";
import type { TailActivity } from "./application/tail-activity.ts";
import type { ViewCache } from "./application/view-cache.ts";
import type { ViewItems } from "./application/view-items.ts";
import type { ViewUser } from "./application/view-user.ts";
import type { ActivityLog } from "./domain/activity-log.ts";
import type { ConfirmingFeed } from "./domain/change-feed.ts";
import type { Claims } from "./domain/claims.ts";
import type { Instant } from "./domain/evaluation-context.ts";
import type { History } from "./domain/history.ts";
import type { Outbox } from "./domain/outbox.ts";
import type { Source } from "./domain/source.ts";
import type { TokenResolver } from "./domain/token-resolver.ts";
import type { TimeZone } from "./domain/wall-clock.ts";
import type { Activity } from "./infrastructure/activity/activity.ts";
import type { CachedFeatureSets } from "./infrastructure/cache/cached-feature-sets.ts";
import type { CachedSettings } from "./infrastructure/cache/cached-settings.ts";
import type { CachedTokenResolver } from "./infrastructure/cache/cached-token-resolver.ts";
import type { CachedValues } from "./infrastructure/cache/cached-values.ts";
import type { Snapshot } from "./infrastructure/cache/snapshot.ts";
import type { Connection } from "./infrastructure/connection.ts";
import type { InstanceChannel } from "./infrastructure/instance-channel.ts";
import type { Log } from "./infrastructure/logger.ts";
import type { CommandTimes, Metrics } from "./infrastructure/metrics/metrics.ts";

/** The secret that lets the first operator in, and the file that was made for it just now, if one was. */
type FirstCredential = { readonly secret: string; readonly newFile: string | undefined };

/** A container key that remembers what stands behind it, so that a wrong pairing does not compile. */
const token = <T>(name: string): InjectionToken<T> => Symbol(name);

/** What the container holds: one of each, made when it is first asked for. */
export const Tokens = {
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
  CachedSettings: token<ReadonlyMap<string, CachedSettings>>("CachedSettings"),
  Snapshot: token<Snapshot | undefined>("Snapshot"),
  TokenResolver: token<TokenResolver>("TokenResolver"),
  Stores: token<ReadonlyMap<string, LentStore>>("Stores"),
  ViewItems: token<ViewItems>("ViewItems"),
  SearchItems: token<SearchItems>("SearchItems"),
  Background: token<Background[]>("Background"),
  AwaitSources: token<AwaitSources>("AwaitSources"),
  Sources: token<readonly Source[]>("Sources"),
  SourceStates: token<SourceStates>("SourceStates"),
  IdentifyCaller: token<IdentifyCaller>("IdentifyCaller"),
  CallContext: token<CallContext>("CallContext"),
  LocateCaller: token<LocateCaller>("LocateCaller"),
  ResolveFeatures: token<ResolveFeatures>("ResolveFeatures"),
  RecallSettings: token<RecallSettings>("RecallSettings"),
  RecallItems: token<RecallItems>("RecallItems"),
  RecallSets: token<RecallSets>("RecallSets"),
  SurveySources: token<SurveySources>("SurveySources"),
  RecallFeatures: token<RecallFeatures>("RecallFeatures"),
  ExplainFeatures: token<ExplainFeatures>("ExplainFeatures"),
  CompareMoments: token<CompareMoments>("CompareMoments"),
  CheckReadiness: token<CheckReadiness>("CheckReadiness"),
  CheckChanges: token<CheckChanges>("CheckChanges"),
  SourceSets: token<SourceSets>("SourceSets"),
  Claims: token<Claims | undefined>("Claims"),
  Catalogue: token<Catalogue>("Catalogue"),
  ListFeatures: token<ListFeatures>("ListFeatures"),
  ViewUser: token<ViewUser>("ViewUser"),
  ChangeSet: token<ChangeSet>("ChangeSet"),
  ManageSettings: token<ManageSettings>("ManageSettings"),
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
  Activity: token<Activity>("Activity"),
  ActivityLog: token<ActivityLog>("ActivityLog"),
  History: token<History>("History"),
  IdentifyStores: token<IdentifyStores>("IdentifyStores"),
  CompleteSince: token<CompleteSince>("CompleteSince"),
  Outboxes: token<ReadonlyMap<string, Outbox>>("Outboxes"),
  DrainOutboxes: token<DrainOutboxes>("DrainOutboxes"),
  KeepRecords: token<ReadonlyMap<string, KeepRecords>>("KeepRecords"),
  CheckRecords: token<CheckRecords>("CheckRecords"),
  ReadActivity: token<ReadActivity>("ReadActivity"),
  RecordActivity: token<RecordActivity>("RecordActivity"),
  ExpireActivity: token<ExpireActivity | undefined>("ExpireActivity"),
  TailActivity: token<TailActivity>("TailActivity"),
  EventStreams: token<EventStreams>("EventStreams"),
  Counts: token<Counts>("Counts"),
  CommandTimes: token<CommandTimes>("CommandTimes"),
  CommandTimeoutMs: token<number>("CommandTimeoutMs"),
  Metrics: token<Metrics>("Metrics"),
} as const;
