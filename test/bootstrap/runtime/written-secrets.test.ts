import { describe, expect, it } from "vitest";
import { TestProcess } from "../../support/process.ts";
import { sendRaw } from "../../support/raw-http.ts";
import { startRedis } from "../../support/redis.ts";
import { basic, bearer } from "../../support/service.ts";
import { unlikelyTokens } from "../../support/unlikely.ts";
import { until } from "../../support/until.ts";

const ask = async (url: string, headers: Record<string, string> = {}) =>
  (await fetch(`${url}/features`, { headers })).text();

describe("the output of the service", () => {
  const canary = "canary-t0ken-8c41";

  it("never contains a token, known or not, valid or not, in normal operation and while Redis is down", async () => {
    const redis = await startRedis();
    await redis.client.set(`token:${canary}`, "1");
    const env = {
      REDIS_USERS_URL: redis.url,
      REDIS_FEATURES_URL: redis.url,
      HOST: "127.0.0.1",
      PORT: "0",
      LOG_LEVEL: "trace",
      TIDEGATE_ADMIN_TOKEN: `${canary}-admin`,
      TIDEGATE_TOKEN_PEPPER: `${canary}-pepper`,
    };
    await using service = new TestProcess(["src/main.ts"], { ...env, TIDEGATE_CONFIG: "test/support/logging.yaml" });
    const url = await service.url();
    const answers: string[] = [];
    const see = async (path: string) => (await fetch(url + path, { headers: bearer(`${canary}-admin`) })).text();
    const send = async () => {
      for (const token of [canary, `${canary}x`, ...unlikelyTokens.map((unlikely) => canary + unlikely)]) {
        if (token.length > 5_000) continue;
        const sent = [
          ask(url, basic(token)),
          /^[\x20-\x7e]*$/.test(token) ? ask(url, bearer(token)) : "",
          ask(`${url}/features?token=${encodeURIComponent(token)}&x=`),
          fetch(`${url}/${encodeURIComponent(token)}`, { method: "PUT" }).then((response) => response.text()),
          see(`/admin/v1/cache?key=${encodeURIComponent(`token:${token}`)}`),
          ask(url, { authorization: `Digest ${canary}`, "x-request-id": `${canary}/` }),
        ];
        answers.push(...(await Promise.all(sent)));
      }
      answers.push(await see("/metrics"), await see("/health/ready"));
      answers.push(
        (
          await sendRaw(
            url,
            `GET /features HTTP/1.1\r\nHost: x y\r\nConnection: close\r\nAuthorization: Bearer ${canary}\r\n\r\n`,
          )
        ).body,
      );
      answers.push(
        (await sendRaw(url, `GET /features HTTP/1.1\r\nAuthorization: Bearer ${canary}\u0000\r\n\r\n`)).body,
      );
    };
    await send();
    await redis.client.del(`token:${canary}`);
    await redis.client.sadd(`token:${canary}`, "a set");
    await send();
    await redis[Symbol.asyncDispose]();
    await until(() => service.stderr.includes("Redis connection lost"), "the outage is logged");
    await send();
    service.signal("SIGTERM");
    expect(await service.exit()).toBe(0);
    for (const line of ["started", "connected to Redis", "source failed", "request", "stopping", "stopped"]) {
      expect(service.stderr).toContain(`"msg":"${line}"`);
    }
    expect(service.stderr.match(/"msg":"request"/g)?.length).toBeGreaterThan(100);
    expect(service.stdout + service.stderr).not.toContain("canary");
    expect(service.stdout + service.stderr).not.toContain(Buffer.from(`:${canary}`).toString("base64").slice(0, 16));
    expect(answers.join()).not.toContain("canary");
  });
});
