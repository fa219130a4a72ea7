import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { newSource } from "../../src/adapters/cli/new-source.ts";
import { respondWith, respondWithStatus, startDocumentServer } from "../support/document-server.ts";
import { adminToken } from "../support/operator.ts";
import { bearer, startServiceOn, type TestService } from "../support/service.ts";
import { until } from "../support/until.ts";

const root = resolve(import.meta.dirname, "../..");

describe("docs/tutorials/first-source.md", () => {
  const page = readFileSync(join(root, "docs/tutorials/first-source.md"), "utf8");
  const files = [...page.matchAll(/```[jt]s\n\/\/ (\S+)\n([\s\S]*?)```/g)].map(([, file = "", code = ""]) => ({
    file,
    code,
  }));
  const folder = mkdtempSync(join(tmpdir(), "tidegate-authors-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, "sources"));
  for (const { file, code } of files) if (file.startsWith("sources/")) writeFileSync(join(folder, file), code);

  // `make soak` follows the first steps in a copy of the project.
  it("prints the output of its commands, and shows the files that it names", () => {
    const [, command, output] = /^\$ (.*)\n((?:(?!```|\$ ).*\n)*)/m.exec(page) ?? [];
    const { drafts, next } = newSource("wide-window");
    const written = drafts.map(({ file }) => relative(root, file));
    expect(command).toBe("npx tidegate sources new wide-window");
    expect([...written.map((file) => `wrote ${file}`), ...next].join("\n")).toBe(output?.trimEnd());
    expect(files.slice(0, 2).map(({ file }) => file)).toEqual(written);
  });

  /** Serves the page's YAML that names a source file, with some texts replaced. */
  function serve(file: string, changes: Readonly<Record<string, string>> = {}): Promise<TestService> {
    let yaml = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].find(([, text = ""]) => text.includes(`./${file}`))?.[1];
    if (yaml === undefined) throw new Error(`the page has no YAML with ${file}`);
    for (const [text, other] of Object.entries(changes)) {
      expect(yaml).toContain(text);
      yaml = yaml.replace(text, other);
    }
    writeFileSync(join(folder, "my.yaml"), yaml);
    return startServiceOn(join(folder, "my.yaml"), {
      TIDEGATE_DATA: folder,
      TIDEGATE_SOURCE_FOLDERS: join(folder, "sources"),
      TIDEGATE_ADMIN_TOKEN: adminToken,
    });
  }

  const call = async (service: TestService, query = "", headers = {}) => {
    const response = await service.get(`/features${query}`, headers);
    const { active_features } = (await response.json()) as { active_features?: readonly string[] };
    return { status: response.status, features: active_features, mark: response.headers.get("cache-status") };
  };
  /** The first result. To read a file for the first time may take longer than a source has on a busy machine. */
  const first = async (service: TestService) => {
    await until(async () => (await call(service)).status === 200, "the source answers");
    return call(service);
  };
  const faultsIn = async (service: TestService): Promise<readonly string[]> => {
    const response = await service.get("/admin/v1/sources", bearer(adminToken));
    return ((await response.json()) as { sources: { faults: string[] }[] }).sources.flatMap(({ faults }) => faults);
  };

  it("shows a source from outside the repository that works unchanged", async () => {
    await using service = await serve("sources/weekend.mjs");
    const isWeekend = [0, 6].includes(new Date().getUTCDay());
    expect(await first(service)).toMatchObject({ features: isWeekend ? ["brunch"] : [] });
  });

  it("shows how to read a file: relative path, reload, stale while it is invalid", async () => {
    const list = join(folder, "sources/listed.json");
    writeFileSync(list, '["brunch"]');
    await using service = await serve("sources/listed.mjs");
    expect(await first(service)).toEqual({ status: 200, features: ["brunch"], mark: null });
    writeFileSync(list, '["brunch","late_show"]');
    await until(async () => (await call(service)).features?.length === 2, "the change is served");
    writeFileSync(list, '["bru');
    await until(async () => (await call(service)).mark?.includes('detail="stale"') ?? false, "the result is stale");
    expect(await call(service)).toMatchObject({ status: 200, features: ["brunch", "late_show"] });
    expect(await faultsIn(service)).toEqual([expect.stringContaining(`${list} cannot be used: `)]);
    writeFileSync(list, "[]");
    await until(async () => (await call(service)).mark === null, "the result is fresh");
    expect([await call(service), await faultsIn(service)]).toMatchObject([{ features: [] }, []]);
  });

  it.each([
    ["returns 503 by default", "", { status: 503 }],
    [
      "is left out with skip",
      ", onFailure: skip",
      { status: 200, features: [], mark: expect.stringMatching(/incomplete: listed/) },
    ],
  ])("a source without a valid file %s", async (_, option, expected) => {
    const missing = { "file: sources/listed.json": `file: sources/missing.json${option}` };
    await using service = await serve("sources/listed.mjs", missing);
    expect(await call(service)).toMatchObject(expected);
  });

  it("shows how to poll a URL: by location, with faults, stale while the server is down", async () => {
    await using server = await startDocumentServer(respondWith('{"brunch":["es"],"late_show":["fr"],"odd":"es"}'));
    const changes = { "https://shop.example/local.json": server.url, "onFailure: skip": "pollSeconds: 1" };
    await using service = await serve("sources/local.mjs", changes);
    await until(async () => (await call(service)).status === 200, "the document is read");
    expect(await call(service, "?location=es/madrid")).toMatchObject({ features: ["brunch"], mark: null });
    expect(await call(service, "?location=fr")).toMatchObject({ features: ["late_show"] });
    expect(await call(service)).toMatchObject({ features: [] });
    expect(await faultsIn(service)).toEqual(['feature "odd": its locations are no list']);
    server.answer = respondWithStatus(500);
    await until(async () => (await call(service)).mark?.includes('detail="stale"') ?? false, "the result is stale");
    expect(await call(service, "?location=fr")).toMatchObject({ status: 200, features: ["late_show"] });
  });

  it("shows how to ask another service for each user", async () => {
    await using server = await startDocumentServer((response, headers) => {
      if (headers.host) response.end('["reports"]');
    });
    const changes = { "https://billing.example/entitlements": server.url, "timeoutMs: 300": "timeoutMs: 5000" };
    await using service = await serve("sources/entitled.mjs", changes);
    expect(await first(service)).toMatchObject({ status: 200, features: [] });
    const at = `?at=${new Date(Date.now() + 60_000).toISOString()}`;
    expect(await call(service, `${at}&user=a/b`, bearer(adminToken))).toMatchObject({ features: ["reports"] });
    expect(server.requests.map(({ target }) => target)).toEqual(["/a%2Fb"]);
    server.answer = respondWithStatus(500);
    expect(await call(service, `${at}&user=7`, bearer(adminToken))).toMatchObject({ status: 503 });
  });
});
