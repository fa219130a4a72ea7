import { setTimeout } from "node:timers/promises";
import type { Validators } from "../../../domain/feeds/item.ts";
import { fetchDocument } from "./fetch-document.ts";
import { Latest, type Polled } from "./latest.ts";
import { hostOf, Reachable } from "./reachable.ts";
import { utf8Text } from "./utf8-text.ts";

const withinMs = 10_000;
const mostBytes = 10 * 1024 * 1024;

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
 * the server can tell. The first poll begins before this returns. `parse` throws for a text that cannot be
 * used; what was said before goes on then, as it does while the server does not answer.
 */
export function pollUrl<T>(
  { url, headers, everyMs }: Polling,
  parse: (text: string) => T,
  warn: (fault: string) => void,
): Polled<T> {
  const target = new URL(url);
  // Who configures it means it, and it is often within the same network.
  const reachable = new Reachable([hostOf(target)]);
  const location = { url: target, headers, reachable, withinMs, mostBytes };
  const latest = new Latest<T>((fault) => warn(`${target.origin} cannot be used: ${fault}`));
  const ending = new AbortController();
  let known: Validators | null = null;
  let said: string | undefined;

  const poll = async (): Promise<void> => {
    const fetched = await fetchDocument(location, known, ending.signal);
    if (!fetched) return latest.isUnchanged();
    const text = utf8Text(Buffer.concat(fetched.pieces));
    if (text === said) latest.isUnchanged();
    else latest.set(parse(text));
    said = text;
    const { etag, lastModified } = fetched;
    known = etag === null && lastModified === null ? null : { of: url, etag, lastModified };
  };

  const polling = (async () => {
    while (!ending.signal.aborted) {
      await poll().catch((cause) => {
        if (!ending.signal.aborted) latest.failed(cause);
      });
      const pause = everyMs * (0.9 + Math.random() * 0.2);
      await setTimeout(pause, undefined, { ref: false, signal: ending.signal }).catch(() => {});
    }
  })();
  return {
    read: () => latest.read(),
    get fault() {
      return latest.fault;
    },
    [Symbol.asyncDispose]: async () => {
      ending.abort();
      await polling;
    },
  };
}
