import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../src/bootstrap/config/config.ts";
import { respondWith, respondWithStatus, startDocumentServer } from "../support/document-server.ts";
import { startService } from "../support/service.ts";
import { until } from "../support/until.ts";
import { Walkthrough } from "../support/walkthrough.ts";

describe("docs/how-to/flagd-and-unleash.md", () => {
  it("shows the output of its commands", async () => {
    using page = new Walkthrough("docs/how-to/flagd-and-unleash.md");
    page.configure("Write them down");
    const env = { TIDEGATE_DATA: join(page.folder, "data"), TIDEGATE_CONFIG: join(page.folder, "my.yaml") };
    await page.follow("Keep them in a file", "", env, 3);
    await using service = await page.serve(env);
    await page.follow("Ask", service.url, env, 10);
  }, 180_000);
});

describe("the section about flags in the store", () => {
  it("shows the output of its commands", async () => {
    using page = new Walkthrough("docs/how-to/flagd-and-unleash.md");
    page.configure("Edit them at runtime");
    const env = {
      TIDEGATE_DATA: join(page.folder, "data"),
      TIDEGATE_CONFIG: join(page.folder, "my.yaml"),
      TIDEGATE_ADMIN_TOKEN: "the-operators-credential",
    };
    await using service = await page.serve(env);
    await page.follow("Edit them at runtime", service.url, env, 7);
  }, 180_000);
});

describe("the servers in the page's configuration", () => {
  it("are valid once their credentials are in the environment", async () => {
    const yaml = /## From a server\n\n```yaml\n([\s\S]*?)```/.exec(
      readFileSync("docs/how-to/flagd-and-unleash.md", "utf8"),
    )?.[1];
    const env = { FLAGS_TOKEN: "s3cret", UNLEASH_TOKEN: "*:production.s3cret" };
    expect((await loadConfig("my.yaml", env, yaml)).sources.map(({ kind }) => kind)).toEqual(["flagd", "unleash"]);
    await expect(loadConfig("my.yaml", {}, yaml)).rejects.toThrow(/environment variable UNLEASH_TOKEN is not set/);
  });
});

describe("polled flags", () => {
  const flags = (on: string) =>
    JSON.stringify({ flags: { flag: { state: "ENABLED", variants: { on: true, off: false }, defaultVariant: on } } });
  const features = (enabled: boolean) =>
    JSON.stringify({ version: 2, features: [{ name: "feature", enabled, strategies: [{ name: "default" }] }] });

  it("change cached responses, and mark them as stale while the server is down", async () => {
    await using flagServer = await startDocumentServer(respondWith(flags("on"), '"1"'));
    await using unleash = await startDocumentServer(respondWithStatus(503));
    await using service = await startService(
      `
sources:
  - { name: flags, kind: flagd, url: "${flagServer.url}", pollSeconds: 1 }
  - { name: unleash, kind: unleash, url: "${unleash.url}/api", token: "\${TOKEN}", pollSeconds: 1 }
`,
      { TOKEN: "s3cret" },
    );
    const on = async () => await (await service.get("/features")).text();
    expect((await service.get("/features")).status).toBe(503);
    unleash.answer = respondWith(features(true));
    await until(async () => (await on()) === '{"active_features":["feature","flag"]}', "both are known");
    expect(unleash.requests[0]?.authorization).toBe("s3cret");
    flagServer.answer = respondWith(flags("off"), '"2"');
    await until(async () => (await on()) === '{"active_features":["feature"]}', "the flag is off");
    unleash.answer = respondWith(features(false));
    await until(async () => (await on()) === '{"active_features":[]}', "the feature is off");
    flagServer.answer = respondWithStatus(500);
    await until(async () => (await service.get("/features")).headers.has("cache-status"), "the answer is marked");
    expect(await on()).toBe('{"active_features":[]}');
    flagServer.answer = respondWith(flags("on"), '"3"');
    await until(async () => (await on()) === '{"active_features":["flag"]}', "the flag is on again");
    await until(async () => !(await service.get("/features")).headers.has("cache-status"), "the answer is fresh");
  });
});

describe("flags in the configuration", () => {
  it("are evaluated at past times too, unlike those of a server", async () => {
    const rules = (options: string) => `
admin: { tokenFile: "\${FOLDER}/admin" }
sources: [{ name: rules, kind: flagd, ${options} }]
`;
    const flag =
      '{ flag: { state: ENABLED, variants: { on: true, off: false }, defaultVariant: off, targeting: { if: [{ "<": [{ var: $flagd.timestamp }, 1000000000] }, on] } } }';
    const env = { TIDEGATE_ADMIN_TOKEN: "the-operators-credential" };
    const asked = "/features?at=2001-01-01T00:00:00Z";
    const headers = { authorization: `Bearer ${env.TIDEGATE_ADMIN_TOKEN}` };
    await using inline = await startService(rules(`definitions: { flags: ${flag} }`), env);
    expect(await (await inline.get("/features")).json()).toEqual({ active_features: [] });
    expect(await (await inline.get(asked, headers)).json()).toEqual({ active_features: ["flag"] });
    await using followed = await startService(rules("url: http://127.0.0.1:9"), env);
    expect((await followed.get(asked, headers)).status).toBe(404);
  });
});

describe("flags with faults", () => {
  it("are accepted in the configuration and in a file, and reported to operators", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tidegate-rules-"));
    const file = join(folder, "flags.yaml");
    const flags = `
        $schema: https://flagd.dev/schema/v0/flags.json
        description: flags of the shop
        defaults: &defaults { state: ENABLED, variants: { on: true, off: false }, defaultVariant: on }
        metadata: { version: "7" }
        flags:
          plain: { <<: *defaults, description: a flag, $schema: none, metadata: { owner: search } }
          targeted: { <<: *defaults, targeting: { if: [false, off, null] } }
          odd: { <<: *defaults, default_variant: off }
`;
    writeFileSync(file, `${flags.replaceAll(/^ {8}/gm, "")}  broken: {}\n`);
    const env = { TIDEGATE_ADMIN_TOKEN: "the-operators-credential", FLAGS: file };
    const headers = { authorization: `Bearer ${env.TIDEGATE_ADMIN_TOKEN}` };
    await using service = await startService(
      `
sources:
  - name: inline
    kind: flagd
    definitions:${flags}
  - { name: file, kind: flagd, file: "\${FLAGS}" }
`,
      env,
    );
    expect(await (await service.get("/features")).json()).toEqual({ active_features: ["odd", "plain", "targeted"] });
    const ignored = 'flag "odd": flagd ignores "default_variant"; write defaultVariant';
    const faults = {
      inline: [ignored],
      file: [ignored, 'flag "broken": state (missing) is invalid (expected ENABLED or DISABLED)'],
    };
    const { sources } = (await (await service.get("/admin/v1/sources", headers)).json()) as {
      sources: readonly { name: string; faults: readonly string[] }[];
    };
    expect(Object.fromEntries(sources.map((source) => [source.name, source.faults]))).toEqual(faults);
    const ready = await service.get("/health/ready", headers);
    expect([ready.status, await ready.json()]).toEqual([200, expect.objectContaining({ status: "ready", faults })]);
    expect(await (await service.get("/health/ready")).json()).toEqual({ status: "ready" });
    rmSync(folder, { recursive: true });
  });
});
