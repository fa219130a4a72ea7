import type { Report } from "../../../application/unleash/forward-reports.ts";

const timeoutMs = 10_000;

/** The client API of an Unleash server. */
export class UnleashServer implements Disposable {
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #ending = new AbortController();

  /** `url` is that of `/client/features`. `headers` may contain a credential. */
  constructor(url: string, headers: Readonly<Record<string, string>>) {
    this.#url = url;
    this.#headers = headers;
  }

  /** Sends a report. Rejects if the server does not accept it within 10 s, or when this is disposed of. */
  async send({ kind, headers, body }: Report): Promise<void> {
    const all = new Headers({ ...this.#headers, "Content-Type": "application/json" });
    for (const [name, value] of Object.entries(headers)) all.set(name, value);
    const response = await fetch(new URL(kind, this.#url), {
      method: "POST",
      headers: all,
      body,
      redirect: "manual",
      signal: AbortSignal.any([this.#ending.signal, AbortSignal.timeout(timeoutMs)]),
    });
    await response.body?.cancel();
    if (!response.ok) throw new Error(`${new URL(this.#url).host} responds ${response.status}`);
  }

  [Symbol.dispose](): void {
    this.#ending.abort();
  }
}
