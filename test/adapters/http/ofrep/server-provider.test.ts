import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { OFREPProvider } from "@openfeature/ofrep-provider";
import { type Client, OpenFeature } from "@openfeature/server-sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { adminToken } from "../../../support/operator.ts";
import { bearer, redisRules, startService, type TestService } from "../../../support/service.ts";
import { TcpProxy } from "../../../support/tcp-proxy.ts";

const yaml = `
connections: { store: { kind: sqlite, file: "\${FOLDER}/store.db" } }
tokens: { connection: store, layout: plain }
sources:
  - { name: user, kind: set, connection: store, key: "features:user:{userId}" }
  - { name: killed, kind: set, connection: store, key: "tidegate:killed", role: veto }
`;

describe("OpenFeature's server provider", () => {
  let service: TestService;
  let proxy: TcpProxy;
  let client: Client;
  beforeAll(async () => {
    service = await startService(yaml, { TIDEGATE_ADMIN_TOKEN: adminToken });
    await change("PUT", "/sources/user/features/feature_3?userId=1");
    proxy = await TcpProxy.to(Number(new URL(service.url).port));
    client = await clientOf(`http://127.0.0.1:${proxy.port}`);
  });
  afterAll(async () => {
    await OpenFeature.close();
    await proxy[Symbol.asyncDispose]();
    await service[Symbol.asyncDispose]();
  });

  async function clientOf(baseUrl: string, token = adminToken): Promise<Client> {
    const provider = new OFREPProvider({ baseUrl, headers: [["Authorization", `Bearer ${token}`]] });
    await OpenFeature.setProviderAndWait(baseUrl + token, provider);
    return OpenFeature.getClient(baseUrl + token);
  }
  async function change(method: string, path: string): Promise<void> {
    const response = await fetch(`${service.url}/admin/v1${path}`, { method, headers: bearer(adminToken) });
    expect(response.ok).toBe(true);
  }
  const evaluate = (targetingKey: string, by = client, key = "feature_3") =>
    by.getBooleanDetails(key, false, { targetingKey });

  it("sends one request for each evaluation, so that the next one sees a change", async () => {
    const before = proxy.sent.length;
    expect(await evaluate("1")).toMatchObject({
      value: true,
      reason: "TARGETING_MATCH",
      flagMetadata: { source: "user" },
    });
    expect(await evaluate("2")).toMatchObject({ value: false, reason: "DISABLED" });
    await change("PUT", "/killed/feature_3");
    expect(await evaluate("1")).toMatchObject({ value: false, reason: "DISABLED" });
    await change("DELETE", "/killed/feature_3");
    expect(await evaluate("1")).toMatchObject({ value: true });
    expect(proxy.sent.length - before).toBe(4);
  });

  it("receives the error code of an unknown flag", async () => {
    expect(await evaluate("1", client, "nothing")).toMatchObject({ value: false, errorCode: "FLAG_NOT_FOUND" });
  });

  it("receives an error for a rejected credential, and while a store is unavailable", async () => {
    const unknown = await clientOf(service.url, "nobody");
    expect(await evaluate("1", unknown)).toMatchObject({ value: false, errorCode: "GENERAL" });
    await using away = await startService(redisRules("redis://127.0.0.1:1", "redis://127.0.0.1:1"));
    const failing = await clientOf(away.url, "1234");
    expect(await evaluate("1", failing)).toMatchObject({ value: false, errorCode: "GENERAL" });
  });

  it("evaluates again once the service is back", async () => {
    proxy.cut();
    expect(await evaluate("1")).toMatchObject({ value: false, errorCode: "GENERAL" });
    proxy.heal();
    expect(await evaluate("1")).toMatchObject({ value: true });
  });

  it("sends nothing until Retry-After is over, after a 429 of a proxy", async () => {
    let requests = 0;
    const server = createServer((_, response) => {
      requests += 1;
      response.writeHead(429, { "Retry-After": "60" }).end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const limited = await clientOf(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    await evaluate("1", limited);
    await evaluate("1", limited);
    expect(requests).toBe(1);
    server.closeAllConnections();
    server.close();
  });
});
