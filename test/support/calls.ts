import { setTimeout } from "node:timers/promises";
import { freshnessBoundMs } from "../../src/domain/evaluation/cached-read.ts";
import type { TestService } from "./service.ts";

/** What a call was answered, and when it was asked. */
export type Answer = {
  readonly askedAt: number;
  readonly ms: number;
  readonly status: number;
  readonly features: readonly string[];
  /** The `Cache-Status`: why the answer may be old. */
  readonly mark: string | null;
};

/** Asks once. */
export async function ask(service: TestService, headers: Record<string, string> = {}): Promise<Answer> {
  const askedAt = Date.now();
  const start = performance.now();
  const response = await service.get("/features", headers);
  const { active_features = [] } = (await response.json()) as { active_features?: readonly string[] };
  const mark = response.headers.get("cache-status");
  return { askedAt, ms: performance.now() - start, status: response.status, features: active_features, mark };
}

/** Calls of one client that do not end, whatever happens, and what was answered to each. */
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

  /** The answers that pass for fresh, of calls that were made when that can no longer be: a freshness bound after `since`. */
  unmarkedTooLate(since: number, until = Number.POSITIVE_INFINITY): readonly Answer[] {
    const isTooLate = (askedAt: number) => askedAt > since + freshnessBoundMs && askedAt < until;
    return this.answers.filter(({ askedAt, mark }) => mark === null && isTooLate(askedAt));
  }

  async #call(service: TestService, headers?: Record<string, string>): Promise<void> {
    while (!this.#ending) {
      this.answers.push(await ask(service, headers));
      await setTimeout(2);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending = true;
    await this.#running;
  }
}
