import { setTimeout } from "node:timers/promises";
import type { Validators } from "../../../domain/feeds/item.ts";
import type { Polling } from "../_catalogue/source.ts";
import { Latest, type OnPolled, type PolledDocument } from "./latest.ts";
import { hostOf, Reachable } from "./reachable.ts";
import { utf8Text } from "./utf8-text.ts";

const timeoutMs = 10_000;
const maxBytes = 10 * 1024 * 1024;

/**
 * Polls a URL: at most 10 MiB decompressed, within 10 s, without redirects, and with conditional requests if the server
 * supports them. The first poll begins before this returns. `parse` throws for invalid text; the previous content then
 * stays in use, as it does while the server is unreachable.
 */
export function pollUrl<T>(
  { url, headers = {}, everyMs }: Polling,
  parse: (text: string) => T,
  changed: OnPolled,
): PolledDocument<T> {
  const target = new URL(url);
  // The configured host is always allowed: it is often in the same private network.
  const reachable = new Reachable([hostOf(target)]);
  const location = { url: target, headers, reachable, timeoutMs, maxBytes };
  const latest = new Latest<T>((fault) => changed(fault && `${target.origin} cannot be used: ${fault}`));
  const ending = new AbortController();
  let validators: Validators | null = null;
  let lastText: string | undefined;

  const poll = async (): Promise<void> => {
    // Configurations without a polled URL do not load HTTP.
    const { fetchDocument } = await import("./fetch-document.ts");
    const fetched = await fetchDocument(location, validators, ending.signal);
    if (!fetched) return latest.isUnchanged();
    const text = utf8Text(Buffer.concat(fetched.chunks));
    if (text === lastText) latest.isUnchanged();
    else latest.set(parse(text));
    lastText = text;
    const { etag, lastModified } = fetched;
    validators = etag === null && lastModified === null ? null : { of: url, etag, lastModified };
  };

  const polling = (async () => {
    while (!ending.signal.aborted) {
      await poll().catch((cause) => {
        if (!ending.signal.aborted) latest.failed(cause);
      });
      // It varies, so that instances do not poll in step.
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
