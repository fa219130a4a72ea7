import type { InjectionToken } from "tsyringe";
import type { InstanceChannel } from "../../infrastructure/invalidation/instance-channel.ts";
import type { Log } from "../../infrastructure/logger.ts";
import type { Admin } from "./admin.ts";
import type { Evaluation } from "./evaluation.ts";
import type { Events } from "./events.ts";
import type { Explain } from "./explain.ts";
import type { Feeds } from "./feeds.ts";
import type { Operations } from "./operations.ts";
import type { Stores } from "./stores.ts";
import type { Transfer } from "./transfer.ts";
import type { UnleashArea } from "./unleash.ts";

/** A typed container key, so that a wrong binding does not compile. */
const key = <T>(name: string): InjectionToken<T> => Symbol(name);

/**
 * The keys of the container: the parts that a caller may replace, and the areas, whose members are made on first use.
 */
export const DiKeys = {
  Log: key<Log>("Log"),
  InstanceChannel: key<InstanceChannel>("InstanceChannel"),
  CommandTimeoutMs: key<number>("CommandTimeoutMs"),
  IsService: key<boolean>("IsService"),
  Stores: key<Stores>("Stores"),
  Evaluation: key<Evaluation>("Evaluation"),
  Feeds: key<Feeds>("Feeds"),
  Events: key<Events>("Events"),
  Explain: key<Explain>("Explain"),
  Admin: key<Admin>("Admin"),
  Transfer: key<Transfer>("Transfer"),
  Unleash: key<UnleashArea>("Unleash"),
  Operations: key<Operations>("Operations"),
} as const;
