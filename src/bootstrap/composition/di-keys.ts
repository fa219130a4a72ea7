import type { InjectionToken } from "tsyringe";
import type { InstanceChannel } from "../../infrastructure/instance-channel.ts";
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
const token = <T>(name: string): InjectionToken<T> => Symbol(name);

/**
 * The keys of the container: the parts that a caller may replace, and the areas, whose members are made on first use.
 */
export const DiKeys = {
  Log: token<Log>("Log"),
  InstanceChannel: token<InstanceChannel>("InstanceChannel"),
  CommandTimeoutMs: token<number>("CommandTimeoutMs"),
  IsService: token<boolean>("IsService"),
  Stores: token<Stores>("Stores"),
  Evaluation: token<Evaluation>("Evaluation"),
  Feeds: token<Feeds>("Feeds"),
  Events: token<Events>("Events"),
  Explain: token<Explain>("Explain"),
  Admin: token<Admin>("Admin"),
  Transfer: token<Transfer>("Transfer"),
  Unleash: token<UnleashArea>("Unleash"),
  Operations: token<Operations>("Operations"),
} as const;
