import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import type { TestContext } from "vitest";
import { startChromium } from "../../support/chromium.ts";
import { until } from "../../support/until.ts";
import type { DemoShop, Person } from "./demo-shop.ts";

/** A host that browsers do not trust without TLS, unlike `localhost`. It is this machine. */
export const insecureHost = "tidegate.test";

/** Builds the page if its sources changed. Throws if that fails. */
export function buildPage(): void {
  const root = resolve(import.meta.dirname, "../../..");
  // Test files run at the same time, and only one of them may build.
  const build = ["/tmp/tidegate-backoffice.lock", "make", "--silent", "backoffice/dist"];
  execFileSync("flock", build, { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
  if (!existsSync(`${root}/backoffice/dist/index.html.br`)) throw new Error("the page is not built: make backoffice");
}

/**
 * Starts Chromium, once the page is built. Throws if that fails. Scrollbars are hidden, as on a phone, unless
 * `hasScrollbars`.
 */
export async function startBrowser({ hasScrollbars = false } = {}): Promise<Browser> {
  buildPage();
  return startChromium({
    args: [
      "--no-sandbox",
      "--disable-gpu",
      // Pages of tests close before optimised code saves time.
      "--js-flags=--no-maglev,--no-turbofan",
      "--force-color-profile=srgb",
      `--host-resolver-rules=MAP ${insecureHost} 127.0.0.1`,
    ],
    ignoreDefaultArgs: hasScrollbars ? ["--hide-scrollbars"] : [],
  });
}

/** What a page did that no page may do. */
export type Faults = readonly string[];

/** A window of a person who is signed in, or of nobody. */
export type Window = AsyncDisposable & {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Opens a path anew, as this person or signed out. To open another window takes longer than most tests. */
  readonly visit: (path: string, person?: Person) => Promise<void>;
  /** Loads the page again. Unlike the browser's own command it is not interrupted by a dialog that was just closed. */
  readonly reload: () => Promise<void>;
  /** Violations of the policy, uncaught errors, and requests to another origin so far. */
  readonly faults: Faults;
};

/** The path below `/backoffice/`, and options of the browser's context. */
export type WindowOptions = BrowserContextOptions & {
  readonly path?: string;
  /**
   * Whether the window has loaded nothing before, and no other test gets it later, as one whose clock was set. Otherwise
   * the files of the page may be in its cache.
   */
  readonly isNew?: boolean;
};

/** Signed-out, empty pages for the next window, by the options of their contexts. To load files anew takes most of a load. */
const unused = new WeakMap<Browser, Map<string, Page[]>>();

/** Whether a dialog is open, or the page has gone back from the history entry of the last one: it does so by itself. */
const isSettled = "!history.state?.isLayer || document.querySelector('dialog[open]') !== null";

/** Opens the page of a shop as a person, or, without one, signed out. Nothing is stored in it. */
export async function openWindow(
  browser: Browser,
  { service, credentials }: Pick<DemoShop, "service" | "credentials">,
  person?: Person,
  {
    path = "",
    isNew = false,
    viewport = { width: 1440, height: 900 },
    colorScheme = "light",
    ...options
  }: WindowOptions = {},
): Promise<Window> {
  const pages = unusedPages(browser, JSON.stringify(options));
  const page = (isNew ? undefined : pages.pop()) ?? (await newPage(browser, options));
  const context = page.context();
  if (viewport) await page.setViewportSize(viewport);
  await page.emulateMedia({ colorScheme });
  const faults: string[] = [];
  const { origin } = new URL(service.url);
  page.on("pageerror", (error) => faults.push(`error: ${error.message}`));
  page.on("console", (message) => {
    if (/content security policy/i.test(message.text())) faults.push(message.text());
  });
  page.on("request", (request) => {
    if (new URL(request.url()).origin !== origin) faults.push(`request to ${request.url()}`);
  });
  const settled = () =>
    until(() => page.evaluate<boolean>(isSettled), "the page has left the history entry of a dialog");
  const reload = async () => {
    await settled();
    await page.reload();
  };
  const visit = async (to: string, as?: Person) => {
    await settled();
    // A page that is left signed in would report a request that is rejected meanwhile.
    await page.goto("about:blank");
    await context.clearCookies();
    if (as) {
      const answer = await context.request.post(`${service.url}/admin/v1/session`, {
        data: { credential: credentials[as] },
        headers: { origin },
      });
      if (!answer.ok()) throw new Error(`cannot sign in: ${answer.status()} ${await answer.text()}`);
    }
    await page.goto(`${service.url}/backoffice/${to}`);
  };
  await visit(path, person);
  const close = async () => {
    if (!isNew && (await isEmptied(page, origin))) pages.push(page);
    else await context.close();
  };
  return { page, context, faults, visit, reload, [Symbol.asyncDispose]: close };
}

/** Waits until a page follows the event log. The page of events has a button of the same name, from the start. */
export const isLive = (page: Page): Promise<void> =>
  page.getByRole("status").getByText("Live", { exact: true }).waitFor();

/** Prints what a window shows after a failed test: a wait that timed out does not say what was there instead. */
export async function printAfterFailure({ page }: Window, { task }: TestContext): Promise<void> {
  if (task.result?.state === "fail") console.log(`${page.url()}\n${await page.locator("body").innerText()}`);
}

function unusedPages(browser: Browser, options: string): Page[] {
  const byOptions = unused.get(browser) ?? new Map<string, Page[]>();
  unused.set(browser, byOptions);
  const pages = byOptions.get(options) ?? [];
  byOptions.set(options, pages);
  return pages;
}

async function newPage(browser: Browser, options: BrowserContextOptions): Promise<Page> {
  const fixed = { reducedMotion: "reduce", locale: "en-GB", timezoneId: "Europe/Madrid" } as const;
  const permissions = ["clipboard-write"];
  return (await browser.newContext({ ...fixed, permissions, ...options })).newPage();
}

/** Leaves the page of a window, and removes what it stored; returns whether that is done. */
async function isEmptied(page: Page, origin: string): Promise<boolean> {
  try {
    page.removeAllListeners();
    await page.unrouteAll({ behavior: "ignoreErrors" });
    await page.goto(`${origin}/backoffice/inter-license.txt`);
    await page.evaluate("localStorage.clear(); sessionStorage.clear()");
    await page.context().clearCookies();
    return page.context().pages().length === 1;
  } catch {
    return false;
  }
}
