/** A report of an SDK to an Unleash server: its usage of features, or itself. */
export type Report = {
  readonly kind: "metrics" | "register";
  /** The headers that name the SDK. Contain no credential. */
  readonly headers: Readonly<Record<string, string>>;
  /** JSON. */
  readonly body: string;
};

/** Sends a report to an Unleash server. Rejects if the server does not accept it. */
export type SendReport = (report: Report) => Promise<void>;

/** Receives changes of the state of forwarding, for the log. */
export type ForwardingLog = { readonly failed: (cause: unknown) => void; readonly recovered: () => void };

/** Maximum number of reports that wait. */
const maxReports = 100;
/** Maximum size of the reports that wait, in characters. */
const maxCharacters = 4_194_304;

/**
 * Forwards reports of SDKs to an Unleash server, one after another, in the background. Drops a report if the server
 * does not accept it, or if too many wait: SDKs must never wait for that server.
 */
export class ForwardReports {
  readonly #send: SendReport | undefined;
  readonly #log: ForwardingLog;
  readonly #waiting: Report[] = [];
  #characters = 0;
  #isSending = false;
  #hasFailed = false;
  /** Number of reports since the start, by event. */
  readonly counts = { received: 0, forwarded: 0, dropped: 0 };

  /** Without `send`, reports are counted and not forwarded. */
  constructor(send: SendReport | undefined, log: ForwardingLog) {
    this.#send = send;
    this.#log = log;
  }

  /** Accepts a report. Returns at once. */
  receive(report: Report): void {
    this.counts.received += 1;
    if (!this.#send) return;
    if (this.#waiting.length >= maxReports || this.#characters + report.body.length > maxCharacters) {
      this.counts.dropped += 1;
      return;
    }
    this.#waiting.push(report);
    this.#characters += report.body.length;
    if (!this.#isSending) void this.#drain(this.#send);
  }

  async #drain(send: SendReport): Promise<void> {
    this.#isSending = true;
    for (let report = this.#waiting.shift(); report; report = this.#waiting.shift()) {
      this.#characters -= report.body.length;
      try {
        await send(report);
        this.counts.forwarded += 1;
        if (this.#hasFailed) this.#log.recovered();
        this.#hasFailed = false;
      } catch (cause) {
        this.counts.dropped += 1;
        if (!this.#hasFailed) this.#log.failed(cause);
        this.#hasFailed = true;
      }
    }
    this.#isSending = false;
  }
}
