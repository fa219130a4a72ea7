import "reflect-metadata";
import { type InjectionToken, instanceCachingFactory, container as root } from "tsyringe";
import { v7 as newId } from "uuid";
import { InstanceChannel } from "../../infrastructure/invalidation/instance-channel.ts";
import { createLog } from "../../infrastructure/logger.ts";
import { defaultCommandTimeoutMs } from "../../infrastructure/redis/command-timeout.ts";
import type { Config } from "../config/config.ts";
import { adminOf } from "./admin.ts";
import { DiKeys } from "./di-keys.ts";
import { evaluationOf } from "./evaluation.ts";
import { eventsOf } from "./events.ts";
import { explainOf } from "./explain.ts";
import { feedsOf } from "./feeds.ts";
import { operationsOf } from "./operations.ts";
import { storesOf } from "./stores.ts";
import { transferOf } from "./transfer.ts";
import { unleashOf } from "./unleash.ts";
import type { Wiring } from "./wiring.ts";

/** The areas of one configuration. Disposal closes everything that was made, in reverse order of creation. */
export type Composition = AsyncDisposable & {
  get<T>(token: InjectionToken<T>): T;
  /** Replaces the instance of a key. Only valid before anything that depends on the key is made. */
  replace<T>(token: InjectionToken<T>, instance: T): void;
};

/** Wires a configuration. Composition root: only this folder maps ports to implementing classes. */
export async function compose(config: Config, env: NodeJS.ProcessEnv): Promise<Composition> {
  const { connectRedis } = await redisOf(config);
  const container = root.createChildContainer();
  const disposal = new AsyncDisposableStack();
  const get = <T>(token: InjectionToken<T>): T => container.resolve(token);
  const provide = <T>(token: InjectionToken<T>, make: () => T): void =>
    void container.register(token, { useFactory: instanceCachingFactory(make) });

  const wiring: Wiring = {
    config,
    env,
    disposal,
    now: () => Date.now(),
    newId,
    connectRedis,
    get log() {
      return get(DiKeys.Log);
    },
    get channel() {
      return get(DiKeys.InstanceChannel);
    },
    get commandTimeoutMs() {
      return get(DiKeys.CommandTimeoutMs);
    },
    get isService() {
      return get(DiKeys.IsService);
    },
  };
  provide(DiKeys.Log, () => createLog(config.log.level));
  provide(DiKeys.InstanceChannel, () => new InstanceChannel());
  provide(DiKeys.CommandTimeoutMs, () => defaultCommandTimeoutMs);
  provide(DiKeys.IsService, () => true);
  provide(DiKeys.Stores, () => storesOf(wiring));
  provide(DiKeys.Evaluation, () => evaluationOf(wiring, get(DiKeys.Stores)));
  provide(DiKeys.Feeds, () => feedsOf(get(DiKeys.Evaluation)));
  provide(DiKeys.Events, () => eventsOf(wiring, get(DiKeys.Stores), get(DiKeys.Evaluation)));
  provide(DiKeys.Explain, () => explainOf(wiring, get(DiKeys.Stores), get(DiKeys.Evaluation), get(DiKeys.Events)));
  provide(DiKeys.Admin, () =>
    adminOf(wiring, get(DiKeys.Stores), get(DiKeys.Evaluation), get(DiKeys.Events), get(DiKeys.Explain)),
  );
  provide(DiKeys.Transfer, () => transferOf(wiring, get(DiKeys.Stores), get(DiKeys.Admin)));
  provide(DiKeys.Unleash, () => unleashOf(wiring, get(DiKeys.Evaluation)));
  provide(DiKeys.Operations, () =>
    operationsOf(
      wiring,
      get(DiKeys.Stores),
      get(DiKeys.Evaluation),
      get(DiKeys.Events),
      get(DiKeys.Feeds),
      get(DiKeys.Unleash),
    ),
  );

  return {
    get,
    replace: (token, instance) => container.register(token, { useValue: instance }),
    [Symbol.asyncDispose]: () => disposal.disposeAsync(),
  };
}

/** Loads the Redis client only if a connection needs it: it is the largest part of a command on the embedded store. */
async function redisOf({ connections }: Config): Promise<Pick<Wiring, "connectRedis">> {
  if (Object.values(connections).some(({ kind }) => kind === "redis")) {
    return import("../../infrastructure/redis/redis-connection.ts");
  }
  return {
    connectRedis: () => {
      throw new Error("no connection leads to Redis");
    },
  };
}
