import { setTimeout } from "node:timers/promises";
import { type Followed, Latest } from "./latest.ts";

const timeoutMs = 10_000;
const largestBody = 10 * 1024 * 1024;

/** What to ask for, and how often. */
export type Polling = {
  /** Of http or https, without credentials. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Between two polls, give or take a tenth, so that many instances do not ask all at once. */
  readonly everyMs: number;
};

/**
 * Follows what a URL answers with: at most 10 MiB when unpacked, within ten seconds, without redirects, and only when it has changed, where
 * the server knows entity tags. The first poll begins before this returns. `parse` throws for a text that cannot be
 * used; what was said before goes on then, as it does while the server does not answer.
 */
export function followUrl<T>(
  { url, headers, everyMs }: Polling,
  parse: (text: string) => T,
  warn: (fault: string) => void,
): Followed<T> {
  const latest = new Latest<T>((fault) => warn(`${new URL(url).origin} cannot be used: ${fault}`));
  const ending = new AbortController();
  let tag: string | undefined;
  let said: string | undefined;

  const poll = async (): Promise<void> => {
    try {
      const signal = AbortSignal.any([ending.signal, AbortSignal.timeout(timeoutMs)]);
      const known = tag === undefined ? {} : { "If-None-Match": tag };
      const response = await fetch(url, { headers: { ...headers, ...known }, redirect: "error", signal });
      if (response.status === 304 && tag !== undefined) {
        latest.isUnchanged();
        return;
      }
      if (response.status !== 200) {
        await response.body?.cancel();
        throw new Error(`the server answered ${response.status}`);
      }
      const text = await textOf(response);
      if (text === said) latest.isUnchanged();
      else latest.says(parse(text));
      said = text;
      tag = response.headers.get("ETag") ?? undefined;
    } catch (cause) {
      if (!ending.signal.aborted) latest.failed(new Error(reasonOf(cause)));
    }
  };

  const polling = (async () => {
    while (!ending.signal.aborted) {
      await poll();
      const pause = everyMs * (0.9 + Math.random() * 0.2);
      await setTimeout(pause, undefined, { ref: false, signal: ending.signal }).catch(() => {});
    }
  })();
  return {
    read: () => latest.read(),
    [Symbol.asyncDispose]: async () => {
      ending.abort();
      await polling;
    },
  };
}

async function textOf({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    size += chunk.byteLength;
    if (size > largestBody) throw new Error(`it is larger than ${largestBody} bytes`);
    chunks.push(chunk);
  }
  return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks));
}

/** `fetch` says what went wrong in the cause of its error. */
function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  if (cause.name === "TimeoutError") return `no answer within ${timeoutMs} ms`;
  return cause.cause instanceof Error ? cause.cause.message || cause.message : cause.message;
}
