import "reflect-metadata";
import { type InjectionToken, instanceCachingFactory, container as root } from "tsyringe";
import { v7 as uuidv7 } from "uuid";
import { createLog } from "../../infrastructure/logger.ts";
import type { Config } from "../config/config.ts";
import { provideAdmin } from "./admin.ts";
import { DiKeys } from "./di-keys.ts";
import { provideMetrics } from "./metrics.ts";
import { provideMoments } from "./moments.ts";
import { provideRecords } from "./records.ts";
import { provideSources } from "./sources.ts";
import { provideStores } from "./stores.ts";
import type { Wiring } from "./wiring.ts";

/** The wired objects of one configuration. Disposal closes them all in reverse order of creation. */
export type Composition = AsyncDisposable & {
  get<T>(token: InjectionToken<T>): T;
  /** Replaces the instance of a key. Only valid before anything that depends on the key is resolved. */
  replace<T>(token: InjectionToken<T>, instance: T): void;
};

/** Wires a configuration. Composition root: only this folder maps ports to implementing classes. */
export function compose(config: Config, env: NodeJS.ProcessEnv): Composition {
  const container = root.createChildContainer();
  const disposal = new AsyncDisposableStack();
  const provide: Wiring["provide"] = (token, create) =>
    void container.register(token, { useFactory: instanceCachingFactory(create) });

  provide(DiKeys.Log, () => createLog(config.log.level));
  provide(DiKeys.Clock, () => () => Date.now());
  provide(DiKeys.TimeZone, () => config.server.timeZone);
  provide(DiKeys.NewId, () => uuidv7);
  const wiring = { config, env, disposal, provide };
  provideStores(wiring);
  provideSources(wiring);
  provideMoments(wiring);
  provideAdmin(wiring);
  provideRecords(wiring);
  provideMetrics(wiring);

  return {
    get: (token) => container.resolve(token),
    replace: (token, instance) => container.register(token, { useValue: instance }),
    [Symbol.asyncDispose]: () => disposal.disposeAsync(),
  };
}
