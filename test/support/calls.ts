import { setTimeout } from "node:timers/promises";
import { freshnessBoundMs } from "../../src/domain/evaluation/cached-read.ts";
import type { TestService } from "./service.ts";
import { until } from "./until.ts";

/** A late read takes 200 ms, and so does its response at least. Others are quicker. */
const slowMs = 100;
/** The cache retries a late read after 250 ms, and a busy machine delays it. */
const retriedWithinMs = 500;

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

  /** Those of `answers` that no late read explains: it makes its own response slow, and marks others until a retry. */
  inTime(answers: readonly Answer[]): readonly Answer[] {
    const slow = this.answers.filter(({ ms }) => ms >= slowMs);
    const isLate = ({ askedAt }: Answer) =>
      slow.some((each) => askedAt >= each.askedAt && askedAt <= each.askedAt + each.ms + retriedWithinMs);
    return answers.filter((answer) => !isLate(answer));
  }

  /** Waits until the responses are fresh, and drops the earlier ones: the first read may be late, and fail. */
  async underWay(): Promise<void> {
    const isFresh = () => this.latest?.status === 200 && this.latest.mark === null;
    await until(() => this.answers.length >= 20 && isFresh(), "fresh answers are served");
    this.answers.length = 0;
  }

  /** The responses that are served as fresh although a freshness bound has passed since `since`. */
  unmarkedTooLate(since: number, before = Number.POSITIVE_INFINITY): readonly Answer[] {
    const isTooLate = (askedAt: number) => askedAt > since + freshnessBoundMs && askedAt < before;
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
