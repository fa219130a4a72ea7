import { setTimeout } from "node:timers/promises";
import { freshnessBoundMs } from "../../src/domain/evaluation/cached-read.ts";
import type { TestService } from "./service.ts";

/** A response, and the time of its request. */
export type Answer = {
  readonly askedAt: number;
  readonly ms: number;
  readonly status: number;
  readonly features: readonly string[];
  /** The `Cache-Status`: why the response may be stale. */
  readonly mark: string | null;
};

/** Sends one request. */
export async function ask(service: TestService, headers: Record<string, string> = {}): Promise<Answer> {
  const askedAt = Date.now();
  const start = performance.now();
  const response = await service.get("/features", headers);
  const { active_features = [] } = (await response.json()) as { active_features?: readonly string[] };
  const mark = response.headers.get("cache-status");
  return { askedAt, ms: performance.now() - start, status: response.status, features: active_features, mark };
}

/** Requests of one client without end, whatever happens, and their responses. */
export class Calls implements AsyncDisposable {
  readonly answers: Answer[] = [];
  readonly #running: Promise<void>;
  #ending = false;

  constructor(service: TestService, headers?: Record<string, string>) {
    this.#running = this.#call(service, headers);
  }

  get latest(): Answer | undefined {
    return this.answers.at(-1);
  }

  get failed(): readonly Answer[] {
    return this.answers.filter(({ status }) => status !== 200);
  }

  get marked(): readonly Answer[] {
    return this.answers.filter(({ mark }) => mark !== null);
  }

  /** The responses that are served as fresh although a freshness bound has passed since `since`. */
  unmarkedTooLate(since: number, until = Number.POSITIVE_INFINITY): readonly Answer[] {
    const isTooLate = (askedAt: number) => askedAt > since + freshnessBoundMs && askedAt < until;
    return this.answers.filter(({ askedAt, mark }) => mark === null && isTooLate(askedAt));
  }

  async #call(service: TestService, headers?: Record<string, string>): Promise<void> {
    while (!this.#ending) {
      this.answers.push(await ask(service, headers));
      await setTimeout(4);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending = true;
    await this.#running;
  }
}
