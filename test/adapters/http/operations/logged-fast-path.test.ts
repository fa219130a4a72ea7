import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { TestProcess } from "../../../support/process.ts";
import { rawGet, sendRaw } from "../../../support/raw-http.ts";
import { until } from "../../../support/until.ts";

it("logs each request once, by the fast path or a route, with the id of its response and without its target", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tidegate-logged-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const TIDEGATE_CONFIG = join(folder, "logged.yaml");
  writeFileSync(TIDEGATE_CONFIG, `log: { requests: true }\n${readFileSync("config/embedded.yaml", "utf8")}`);
  await using service = new TestProcess(["src/main.ts"], { TIDEGATE_CONFIG, PORT: "0" });
  const url = await service.url();
  const bulk = "/ofrep/v1/evaluate/flags";
  const post = (body: string) => {
    const head = [`POST ${bulk} HTTP/1.1`, "Host: x", "Connection: close", "X-Request-Id: post"];
    return [...head, "Content-Type: application/json", `Content-Length: ${body.length}`, "", body].join("\r\n");
  };
  const answers = [
    await rawGet(url, "/features"),
    await rawGet(url, "/features"),
    await rawGet(url, "/features?location=madrid"),
    await rawGet(url, "/features?location=%00"),
    await rawGet(url, "/features?at=2020-01-01T00:00:00Z"),
    await sendRaw(url, post("{}")),
    await sendRaw(url, post("{}")),
    await sendRaw(url, post("[]")),
    await rawGet(url, "/health"),
  ];
  const lines = () => service.stderr.split("\n").filter((line) => line.includes('"msg":"request"'));
  await until(() => lines().length >= answers.length, "all are logged");
  const logged = lines().map((line) => JSON.parse(line));
  expect(logged.map(({ method, route, status }) => [method, route, status])).toEqual([
    ["GET", "/features", 200],
    ["GET", "/features", 200],
    ["GET", "/features", 200],
    ["GET", "/features", 400],
    ["GET", "/features", 401],
    ["POST", bulk, 200],
    ["POST", bulk, 200],
    ["POST", bulk, 400],
    ["GET", "/health", 200],
  ]);
  for (const [index, { head, body }] of answers.entries()) {
    const ids = [...head.matchAll(/^x-request-id: (.*)$/gim)].map(([, id]) => id?.trim());
    expect(ids).toEqual([logged[index].requestId]);
    if (logged[index].status >= 400) expect(JSON.parse(body)).toMatchObject({ requestId: logged[index].requestId });
    expect(logged[index].ms).toBeGreaterThan(0);
  }
});
