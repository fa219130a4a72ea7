import type { Report } from "../../../application/unleash/forward-reports.ts";

const timeoutMs = 10_000;

export type UnleashServer = ReturnType<typeof unleashServer>;

/** The client API of an Unleash server. `url` is that of `/client/features`. `headers` may contain a credential. */
export function unleashServer(url: string, headers: Readonly<Record<string, string>>) {
  const ending = new AbortController();
  return {
    /** Sends a report. Rejects if the server does not accept it within 10 s, or when this is disposed of. */
    send: async ({ kind, headers: sent, body }: Report): Promise<void> => {
      const all = new Headers({ ...headers, "Content-Type": "application/json" });
      for (const [name, value] of Object.entries(sent)) all.set(name, value);
      const response = await fetch(new URL(kind, url), {
        method: "POST",
        headers: all,
        body,
        redirect: "manual",
        signal: AbortSignal.any([ending.signal, AbortSignal.timeout(timeoutMs)]),
      });
      await response.body?.cancel();
      if (!response.ok) throw new Error(`${new URL(url).host} responds ${response.status}`);
    },
    [Symbol.dispose]: () => ending.abort(),
  };
}
