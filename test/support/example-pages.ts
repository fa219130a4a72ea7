import type { Browser, Page } from "playwright-core";
import { startChromium } from "./chromium.ts";
import { freePort } from "./free-port.ts";
import { TestProcess } from "./process.ts";
import { until } from "./until.ts";

/** The pages of `examples`, served by Vite and opened in Chromium. */
export class ExamplePages implements AsyncDisposable {
  readonly #vite: TestProcess;
  readonly #browser: Browser;
  readonly #origin: string;

  private constructor(vite: TestProcess, browser: Browser, origin: string) {
    this.#vite = vite;
    this.#browser = browser;
    this.#origin = origin;
  }

  /** Their calls are passed on to a service. */
  static async start(serviceUrl: string): Promise<ExamplePages> {
    const port = `${await freePort()}`;
    const command = ["node_modules/vite/bin/vite.js", "examples", "--port", port, "--strictPort"];
    const vite = new TestProcess(command, { TIDEGATE_URL: serviceUrl });
    const pages = new ExamplePages(vite, await startChromium(), `http://localhost:${port}`);
    await until(() => vite.stdout.includes(port), "Vite listens");
    return pages;
  }

  async open(example: string): Promise<Page> {
    const page = await this.#browser.newPage();
    await page.goto(`${this.#origin}/${example}/`);
    return page;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close();
    await this.#vite[Symbol.asyncDispose]();
  }
}
