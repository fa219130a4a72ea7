import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ExamplePages } from "../support/example-pages.ts";
import { freePort } from "../support/free-port.ts";
import { adminToken } from "../support/operator.ts";
import { TestProcess } from "../support/process.ts";
import { bearer } from "../support/service.ts";
import { until } from "../support/until.ts";

/** The service as `make run` starts it, with embedded storage. It can be restarted. */
class Restartable implements AsyncDisposable {
  readonly #env: NodeJS.ProcessEnv;
  readonly url: string;
  #process: TestProcess | undefined;

  constructor(port: number, folder: string) {
    this.url = `http://127.0.0.1:${port}`;
    this.#env = { PORT: `${port}`, TIDEGATE_DATA: folder, TIDEGATE_ADMIN_TOKEN: adminToken };
  }

  async start(): Promise<void> {
    this.#process = new TestProcess(["src/main.ts"], this.#env);
    await this.#process.url();
  }

  async stop(): Promise<void> {
    this.#process?.signal("SIGTERM");
    expect(await this.#process?.exit()).toBe(0);
  }

  async change(method: "PUT" | "DELETE", path: string): Promise<void> {
    const response = await fetch(`${this.url}/admin/v1${path}`, { method, headers: bearer(adminToken) });
    expect(response.ok).toBe(true);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process?.[Symbol.asyncDispose]();
  }
}

describe("an app of public OpenFeature packages only, against the service of make run", () => {
  it("on a server evaluates features, sees changes, and works on through a restart", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "tidegate-restart-"));
    await using service = new Restartable(await freePort(), folder.path);
    await service.start();
    await service.change("PUT", "/sources/user/features/feature_3?userId=1");
    await service.change("PUT", "/sources/active/features/feature_3");
    await using app = new TestProcess(["examples/openfeature-server/server.mjs"], {
      TIDEGATE_URL: service.url,
      TIDEGATE_CREDENTIAL: adminToken,
      PORT: "0",
    });
    await until(() => /http:\S+/.test(app.stdout), "the app listens");
    const url = /http:\S+/.exec(app.stdout)?.[0];
    const ask = async (user: string) => (await fetch(`${url}/${user}`)).text();
    expect(await ask("1")).toBe("feature_3 is on for 1\n");
    expect(await ask("2")).toBe("feature_3 is off for 2\n");
    await service.change("PUT", "/killed/feature_3");
    expect(await ask("1")).toBe("feature_3 is off for 1\n");
    await service.stop();
    expect(await ask("1")).toMatch(/^feature_3 is unknown/);
    await service.start();
    expect(await ask("1")).toBe("feature_3 is off for 1\n");
    await service.change("DELETE", "/killed/feature_3");
    expect(await ask("1")).toBe("feature_3 is on for 1\n");
  });

  it("in a browser evaluates features, shows changes without polling, and works on through a restart", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "tidegate-restart-"));
    await using service = new Restartable(await freePort(), folder.path);
    await service.start();
    await service.change("PUT", "/sources/global/features/new_menu");
    await using pages = await ExamplePages.start(service.url);
    const page = await pages.open("openfeature-web");
    const calls: string[] = [];
    page.on("request", (request) => calls.push(new URL(request.url()).pathname));
    const shows = (text: string) =>
      expect.poll(() => page.locator("li").allTextContents(), { timeout: 30_000 }).toContain(text);
    await shows("new_menu is on");
    await service.change("PUT", "/killed/new_menu");
    await shows("new_menu is off");
    // One for the first event of the stream, and one for the change.
    expect(calls.filter((path) => path === "/ofrep/v1/evaluate/flags").length).toBeLessThanOrEqual(3);
    await service.stop();
    await shows("new_menu is off");
    await service.start();
    await service.change("DELETE", "/killed/new_menu");
    await shows("new_menu is on");
    await page.close();
  });
});
