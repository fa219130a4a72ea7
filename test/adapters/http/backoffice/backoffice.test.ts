import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from "node:zlib";
import { OpenAPIHono } from "@hono/zod-openapi";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backofficeRoutes } from "../../../../src/adapters/http/backoffice/backoffice.ts";
import { BuiltPage } from "../../../../src/adapters/http/backoffice/built-page.ts";
import { startService } from "../../../support/service.ts";

const folder = mkdtempSync(join(tmpdir(), "tidegate-page-"));
const html = '<script type="module" src="/backoffice/assets/index-1.js"></script>';
const script = `export const text = "${"tide ".repeat(200)}";`;

function write(path: string, text: string): void {
  writeFileSync(join(folder, `${path}.br`), brotliCompressSync(text));
  writeFileSync(join(folder, `${path}.gz`), gzipSync(text));
}

function served(basePath = "", from = folder) {
  const app = new OpenAPIHono();
  backofficeRoutes(app, new BuiltPage(basePath, from), basePath);
  // The server's listener sends a problem; only its code matters here.
  app.onError((error) => new Response(error.message, { status: 404 }));
  return (path: string, headers: Record<string, string> = {}, method = "GET") => app.request(path, { headers, method });
}

beforeAll(() => {
  mkdirSync(join(folder, "assets"));
  write("index.html", html);
  write("assets/index-1.js", script);
  writeFileSync(join(folder, "assets/inter-1.woff2"), "font");
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("the backoffice page", () => {
  const get = served();

  it.each(["/backoffice/", "/backoffice/features", "/backoffice/features/a%2Fb", "/backoffice/people/1?f=x"])(
    "is the index at %s, which caches revalidate",
    async (path) => {
      const answer = await get(path);
      expect(answer.status).toBe(200);
      expect(await answer.text()).toBe(html);
      expect(answer.headers.get("content-type")).toBe("text/html; charset=utf-8");
      expect(answer.headers.get("cache-control")).toBe("no-cache");
    },
  );

  it("allows scripts, styles and connections of its origin only, and no frame", async () => {
    const policy = (await get("/backoffice/")).headers.get("content-security-policy")?.split("; ");
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).toContain("style-src 'self'");
    expect(policy).toContain("connect-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
  });

  it("moves from the path without a slash", async () => {
    const answer = await served("/api")("/backoffice");
    expect([answer.status, answer.headers.get("location")]).toEqual([308, "/api/backoffice/"]);
  });

  it.each([
    ["gzip, deflate, br, zstd", "br", brotliDecompressSync],
    ["gzip", "gzip", gunzipSync],
    ["br;q=0, gzip", "gzip", gunzipSync],
    ["identity", null, (content: Uint8Array) => content],
  ])("sends an asset to a client that accepts %s as %s, to cache for ever", async (accepted, coding, decoded) => {
    const answer = await get("/backoffice/assets/index-1.js", { "accept-encoding": accepted });
    expect(answer.headers.get("content-encoding")).toBe(coding);
    expect(answer.headers.get("vary")).toBe("Accept-Encoding");
    expect(answer.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
    expect(answer.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    const content = Buffer.from(await answer.arrayBuffer());
    expect(answer.headers.get("content-length")).toBe(`${content.byteLength}`);
    expect(Buffer.from(decoded(content)).toString()).toBe(script);
  });

  it("sends a font as it is, whatever the client accepts", async () => {
    const answer = await get("/backoffice/assets/inter-1.woff2", { "accept-encoding": "br" });
    expect([answer.headers.get("content-type"), answer.headers.get("content-encoding")]).toEqual(["font/woff2", null]);
    expect(await answer.text()).toBe("font");
  });

  it("returns 304 for a current ETag, which differs between codings", async () => {
    const accepting = { "accept-encoding": "br" };
    const tag = (await get("/backoffice/features", accepting)).headers.get("etag") ?? "";
    const again = await get("/backoffice/features", { ...accepting, "if-none-match": tag });
    expect([again.status, again.headers.get("etag"), await again.text()]).toEqual([304, tag, ""]);
    expect((await get("/backoffice/features", { "if-none-match": tag })).status).toBe(200);
  });

  it("responds to HEAD as to GET, without the content", async () => {
    const answer = await get("/backoffice/assets/index-1.js", { "accept-encoding": "gzip" }, "HEAD");
    expect([answer.status, await answer.text()]).toEqual([200, ""]);
    expect(answer.headers.get("content-length")).toBe(`${gzipSync(script).byteLength}`);
  });

  it("does not send the index for an asset that does not exist", async () => {
    expect((await get("/backoffice/assets/index-0.js")).status).toBe(404);
  });

  it("links its assets below the base path", async () => {
    const answer = await served("/api")("/backoffice/features", { "accept-encoding": "br" });
    expect(await answer.text()).toBe('<script type="module" src="/api/backoffice/assets/index-1.js"></script>');
  });

  it("returns the build command if it is not built, and is served once it is", async () => {
    const later = join(folder, "later");
    const ask = served("", later);
    const before = await ask("/backoffice/");
    expect(before.status).toBe(404);
    expect(await before.text()).toContain("Run make backoffice");
    mkdirSync(later);
    writeFileSync(join(later, "index.html.br"), brotliCompressSync("built"));
    expect(await (await ask("/backoffice/")).text()).toBe("built");
  });

  it("is where browsers are led from the root, while other clients learn the paths", async () => {
    await using service = await startService("sources: [{ name: fixed, kind: static, features: { feature_1: true } }]");
    const ask = (accept: string) => fetch(`${service.url}/`, { headers: { accept }, redirect: "manual" });
    const led = await ask("text/html,application/xhtml+xml,*/*;q=0.8");
    expect([led.status, led.headers.get("location")]).toEqual([302, "/backoffice/"]);
    const told = await ask("*/*");
    expect([told.status, ((await told.json()) as { detail: string }).detail]).toEqual([
      404,
      expect.stringMatching(/GET \/features .*\/docs .*\/backoffice\//),
    ]);
  });

  it("can be switched off", async () => {
    await using service = await startService(`
server: { backoffice: false }
connections: { store: { kind: sqlite, file: "\${FOLDER}/store.db" } }
sources: [{ name: fixed, kind: static, features: { feature_1: true } }]
`);
    const answer = await service.get("/backoffice/");
    expect([answer.status, ((await answer.json()) as { detail: string }).detail]).toEqual([
      404,
      "No resource has this path. /docs lists the routes.",
    ]);
  });
});
