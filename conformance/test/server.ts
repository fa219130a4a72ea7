import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";

/** A small OFREP server that follows all rules, except the one whose id is `defect`. */
export async function serve(defect?: string) {
  const state = { on: false, open: new Set<ServerResponse>(), tags: 0 };
  const has = (id: string) => defect === id;
  const server = createServer((incoming, outgoing) => {
    respond(incoming, outgoing).catch((error) => outgoing.writeHead(500).end(String(error)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  async function respond(incoming: IncomingMessage, outgoing: ServerResponse): Promise<unknown> {
    const { pathname, searchParams } = new URL(incoming.url ?? "/", origin);
    for (const [name, value] of Object.entries(corsHeaders(has))) outgoing.setHeader(name, value);
    if (pathname === "/toggle") return outgoing.writeHead(204).end(toggle());
    if (pathname === "/stream") return stream(incoming, outgoing, searchParams.get("token"));
    if (incoming.method === "OPTIONS") return outgoing.writeHead(204).end();
    const [, key] = /^\/ofrep\/v1\/evaluate\/flags(?:\/(.*))?$/.exec(pathname) ?? [];
    if (incoming.method !== "POST") return outgoing.writeHead(has("wrong-method") ? 500 : 405).end();
    return evaluate(incoming, outgoing, searchParams, key);
  }

  function toggle(): undefined {
    state.on = !state.on;
    if (!has("stream-change")) for (const each of state.open) each.write(eventText());
  }

  const eventText = () =>
    `${has("stream-unnamed-events") ? "event: refetchEvaluation\n" : ""}data: {"type":"refetchEvaluation"}\n\n`;

  function stream(incoming: IncomingMessage, outgoing: ServerResponse, token: string | null): unknown {
    if (token !== "opaque" && token !== "secret" && !token?.startsWith("nonce") && !has("stream-bad-url")) {
      return outgoing.writeHead(403).end();
    }
    if (state.open.size >= 10) return outgoing.writeHead(429, { "Retry-After": "1" }).end();
    state.open.add(outgoing);
    outgoing.once("close", () => state.open.delete(outgoing));
    outgoing.writeHead(200, { "Content-Type": has("stream-content-type") ? "text/plain" : "text/event-stream" });
    const isResumed = incoming.headers["last-event-id"] !== undefined;
    if (has(isResumed ? "stream-reconnect" : "stream-first-event")) return outgoing.write(": silent\n\n");
    return outgoing.write(eventText());
  }

  async function evaluate(
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    query: URLSearchParams,
    encodedKey: string | undefined,
  ): Promise<unknown> {
    const key = encodedKey === undefined ? undefined : decodeURIComponent(encodedKey);
    const isSingle = key !== undefined;
    const json = (status: number, body: object, headers: Record<string, string> = {}) => {
      const type =
        has(isSingle ? "single-content-type" : "bulk-content-type") && status === 200
          ? "text/plain"
          : "application/json";
      return outgoing.writeHead(status, { "Content-Type": type, ...headers }).end(JSON.stringify(body));
    };
    const failure = (status: number, errorCode: string) => {
      if (has("bad-error-body") && status === 400) return json(status, { errorDetails: "no code" });
      return json(status, { ...(isSingle && { key: has("single-key-decoding") ? encodedKey : key }), errorCode });
    };
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    let raw = Buffer.concat(chunks);
    const { headers } = incoming;
    const crash = () => outgoing.writeHead(500).end();
    if (raw.length > 5_000_000) {
      if (has("retry-after")) return outgoing.writeHead(429, { "Retry-After": "0" }).end();
      return has("large-body") ? crash() : outgoing.writeHead(413).end();
    }
    if (headers["content-encoding"] === "gzip") {
      if (has("compressed-body")) return crash();
      raw = gunzipSync(raw);
    }
    if (headers["content-type"] !== "application/json" && has("request-content-type")) return crash();
    const bearer = headers.authorization?.replace("Bearer ", "");
    const credential = bearer ?? (has("auth-api-key") ? undefined : headers["x-api-key"]);
    if (credential !== "secret" && !(has("auth-unknown") && bearer !== undefined)) return outgoing.writeHead(401).end();
    if (query.size > 0 && has("bulk-refetch-query")) return failure(400, "GENERAL");
    const text = raw.toString();
    if (text === "{" && has("bad-json")) return failure(422, "PARSE_ERROR");
    let body: unknown;
    try {
      body = JSON.parse(text);
    } catch {
      return failure(400, has("bad-error-code") ? "GENERAL" : "PARSE_ERROR");
    }
    if (!isObject(body) && !(has("bad-body") && Array.isArray(body))) return failure(400, "INVALID_CONTEXT");
    const { context = {} } = body as { context?: unknown };
    if (!isObject(context) && !has("bad-context")) return failure(400, "INVALID_CONTEXT");
    const { targetingKey } = context as { targetingKey?: unknown };
    if (typeof targetingKey === "number" && !has("targeting-key-number")) return failure(400, "INVALID_CONTEXT");
    if (targetingKey === "" && has("targeting-key-odd")) return crash();
    if (targetingKey === undefined && isObject(body) && text === '{"context":{}}' && has("bulk-empty-context"))
      return crash();
    if (text.includes("__proto__") && has("prototype-attribute")) return crash();
    if (text.includes("[[[[") && has("deep-body")) return crash();
    const flags = flagsFor(targetingKey);
    if (isSingle) {
      const flag = flags.find((each) => each.key === key);
      if (!flag) {
        if (key === "constructor" && has("single-prototype-key")) return json(200, { key, reason: "STATIC" });
        return failure(404, has("single-unknown-flag") && !key.includes("/") ? "GENERAL" : "FLAG_NOT_FOUND");
      }
      const { reason, ...rest } = flag;
      return json(200, {
        ...rest,
        ...(has("single-success") ? {} : { reason }),
        ...(has("single-key") && { key: "other" }),
        ...(has("bulk-agrees-with-single") && { variant: "other" }),
      });
    }
    return bulk(incoming, json, flags);
  }

  function bulk(
    incoming: IncomingMessage,
    json: (status: number, body: object, headers?: Record<string, string>) => unknown,
    flags: readonly Flag[],
  ): unknown {
    const advertises = state.open.size < 10 || has("stream-shedding");
    const requestUri = `/stream?token=${has("stream-url-secret") ? "secret" : has("stream-stable-url") ? `nonce${state.tags++}` : "opaque"}`;
    const entry = {
      type: "sse",
      endpoint: { requestUri },
      ...(has("stream-entry") && { url: `${origin}${requestUri}` }),
    };
    const body = {
      flags: has("bulk-unique-keys") ? [...flags, flags[0]] : flags,
      ...(advertises && { eventStreams: [entry] }),
    };
    const covered = has("etag-covers-context")
      ? state.on
      : flags.filter(({ key }) => key !== "banner" || !has("etag-follows-change"));
    const digest = createHash("sha256").update(JSON.stringify([covered, advertises]));
    let etag = `"${digest.digest("base64url")}"`;
    const alternative = etag.replace('"', '"a');
    if (has("etag-stable") && state.tags++ % 2 === 1) etag = alternative;
    const accepted = [etag, etag.replace('"a', '"'), alternative];
    const given = incoming.headers["if-none-match"];
    const listed = (has("etag-list") ? [given ?? ""] : (given ?? "").split(/ *, */)).map((each) =>
      has("etag-weak") ? each : each.replace(/^W\//, ""),
    );
    const matches = (given === "*" && !has("etag-any")) || accepted.some((each) => listed.includes(each));
    if (given !== undefined && !has("etag-not-modified") && (matches || has("etag-other"))) {
      return (json as (status: number, body: object, headers?: Record<string, string>) => unknown)(
        304,
        {},
        has("etag-on-304") ? {} : { ETag: etag },
      );
    }
    return json(200, body, has("etag-present") ? {} : { ETag: etag });
  }

  function flagsFor(targetingKey: unknown): readonly Flag[] {
    return [
      { key: "banner", value: state.on, reason: "STATIC", ...(has("metadata-scalars") && { metadata: { a: {} } }) },
      { key: "theme", value: targetingKey === "other" ? "dark" : "light", reason: "TARGETING_MATCH", variant: "x" },
      {
        key: "code-default",
        reason: has("bulk-success") ? "NONE" : "DEFAULT",
        ...(has("value-not-null") && { value: null }),
      },
    ];
  }

  return {
    url: origin,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

type Flag = { readonly key: string; readonly reason: string; readonly [name: string]: unknown };

const isObject = (value: unknown): boolean => typeof value === "object" && value !== null && !Array.isArray(value);

const corsHeaders = (has: (id: string) => boolean): Readonly<Record<string, string>> => ({
  "Access-Control-Allow-Origin": "*",
  "Access-Control-Allow-Headers": `Content-Type, Authorization, X-API-Key${has("cors-preflight") ? "" : ", If-None-Match"}`,
  "Access-Control-Expose-Headers": has("cors-expose") ? "ETag" : "ETag, Retry-After",
});
