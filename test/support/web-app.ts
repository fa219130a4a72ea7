import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser, Page } from "playwright-core";
import { build, type Rolldown } from "vite";
import { startChromium } from "./chromium.ts";

const bulkPath = "/ofrep/v1/evaluate/flags";
const streamPath = "/ofrep/v1/stream";

type Call = { readonly path: string; readonly url: string; readonly status: number };
export type Details = { readonly value: unknown; readonly reason?: string; readonly errorCode?: string };

/** A page with OpenFeature's web SDK and its OFREP provider, in Chromium (`test/fixtures/web-app.js`). */
export class WebApp implements AsyncDisposable {
  readonly page: Page;
  readonly #calls: Call[] = [];
  readonly #leave: () => Promise<void>;

  constructor(page: Page, leave: () => Promise<void>) {
    this.page = page;
    this.#leave = leave;
    page.on("response", (response) => {
      if (response.request().method() === "OPTIONS") return;
      const url = response.url();
      this.#calls.push({ path: new URL(url).pathname, url, status: response.status() });
    });
  }

  /** Sets a provider with these options, and returns its status. */
  start(options: object, context: object = {}): Promise<string> {
    return this.#run(`start(${JSON.stringify(options)}, ${JSON.stringify(context)})`);
  }

  readonly status = (): Promise<string> => this.#run("status()");
  readonly isOn = (key: string): Promise<boolean> => this.#run(`isOn(${JSON.stringify(key)})`);
  readonly booleanDetails = (key: string): Promise<Details> => this.#run(`booleanDetails(${JSON.stringify(key)})`);
  readonly stringDetails = (key: string): Promise<Details> => this.#run(`stringDetails(${JSON.stringify(key)})`);
  readonly setContext = (context: object): Promise<void> => this.#run(`setContext(${JSON.stringify(context)})`);
  readonly events = (): Promise<readonly string[]> => this.#run("events");

  /** The statuses of its bulk requests so far. */
  get evaluations(): readonly number[] {
    return this.#calls.filter(({ path }) => path === bulkPath).map(({ status }) => status);
  }

  /** Its stream requests so far. */
  get streams(): readonly Call[] {
    return this.#calls.filter(({ path }) => path === streamPath);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#leave();
  }

  #run<T>(call: string): Promise<T> {
    return this.page.evaluate(`app.${call}`) as Promise<T>;
  }
}

/** Serves pages with the app, from an origin of their own. */
export class WebApps implements AsyncDisposable {
  readonly #browser: Browser;
  /** To open another page takes longer than most tests. */
  #kept: Page | undefined;
  readonly #close: () => Promise<unknown>;
  readonly origin: string;

  private constructor(browser: Browser, origin: string, close: () => Promise<unknown>) {
    this.#browser = browser;
    this.origin = origin;
    this.#close = close;
  }

  static async start(): Promise<WebApps> {
    const entry = "test/fixtures/web-app.js";
    const lib = { entry, name: "app", formats: ["iife" as const] };
    const built = await build({ configFile: false, logLevel: "silent", build: { write: false, minify: false, lib } });
    const [{ output }] = built as [Rolldown.RolldownOutput];
    const html = `<!doctype html><title>app</title><script>${output[0].code.replaceAll("</", "<\\/")}</script>`;
    const server = createServer((_, response) => response.writeHead(200, { "Content-Type": "text/html" }).end(html));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return new WebApps(await startChromium(), origin, () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    });
  }

  /** Opens the page, without stored flags. */
  async open(): Promise<WebApp> {
    this.#kept ??= await this.#browser.newPage();
    const page = this.#kept;
    await page.goto(this.origin);
    await page.evaluate("localStorage.clear()");
    return new WebApp(page, async () => {
      page.removeAllListeners("request").removeAllListeners("response");
      await page.unrouteAll();
      await page.goto(this.origin);
    });
  }

  /** Opens a page of its own, whose clock stands still. */
  async openWithClock(): Promise<WebApp> {
    const context = await this.#browser.newContext();
    const page = await context.newPage();
    await page.goto(this.origin);
    await page.clock.install();
    return new WebApp(page, () => context.close());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close();
    await this.#close();
  }
}
