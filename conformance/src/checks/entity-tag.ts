import { isDeepStrictEqual } from "node:util";
import { type Check, expectThat, NotApplicable } from "../check.ts";
import type { Answer, Server } from "../server.ts";

const rfc = "RFC 9110, section 13.1.2";

const ifNoneMatch = (server: Server, tag: string, context = server.options.context): Promise<Answer> =>
  server.bulk(JSON.stringify({ context }), { "If-None-Match": tag });

/** The current ETag of a server that returns 304 for it. */
async function workingTag(server: Server): Promise<string> {
  const tag = await server.entityTag();
  if ((await ifNoneMatch(server, tag)).status !== 304) throw new NotApplicable("needs etag-not-modified");
  return tag;
}

/** Checks of the ETag of the bulk response. */
export const entityTagChecks: readonly Check[] = [
  {
    id: "etag-present",
    level: "should",
    rule: "A bulk response has an ETag.",
    source: "OFREP 0.3.0, header ETag; without it every poll transfers all flags",
    run: async (server) => {
      const { answer } = await server.evaluateAll();
      expectThat(answer.headers.etag !== undefined, "expected an ETag, got none");
      expectThat(/^(?:W\/)?"[^"]*"$/.test(answer.headers.etag), `not a valid ETag: ${answer.headers.etag}`);
    },
  },
  {
    id: "etag-stable",
    level: "must",
    rule: "Equal requests have equal flags and ETags while nothing changes.",
    source: "OFREP 0.3.0, header ETag",
    run: async (server) => {
      await server.entityTag();
      const one = await server.evaluateAll();
      const other = await server.evaluateAll();
      expectThat(isDeepStrictEqual(one.bulk.flags, other.bulk.flags), "two equal requests had different flags");
      const tags = `${one.answer.headers.etag} and ${other.answer.headers.etag}`;
      expectThat(one.answer.headers.etag === other.answer.headers.etag, `two equal requests had the ETags ${tags}`);
    },
  },
  {
    id: "etag-not-modified",
    level: "must",
    rule: "A request with the current ETag in If-None-Match is 304, without a body.",
    source: "OFREP 0.3.0, response 304",
    run: async (server) => {
      const { status, text } = await ifNoneMatch(server, await server.entityTag());
      expectThat(status === 304, `expected 304, got ${status}`);
      expectThat(text === "", "expected no body");
    },
  },
  {
    id: "etag-on-304",
    level: "must",
    rule: "A 304 repeats the ETag.",
    source: "RFC 9110, section 15.4.5",
    run: async (server) => {
      const tag = await workingTag(server);
      const { headers } = await ifNoneMatch(server, tag);
      expectThat(headers.etag === tag, `expected ${tag}, got ${headers.etag ?? "none"}`);
    },
  },
  {
    id: "etag-list",
    level: "must",
    rule: "If-None-Match may list several ETags.",
    source: rfc,
    run: async (server) => {
      const { status } = await ifNoneMatch(server, `"ofrep-conformance", ${await workingTag(server)}`);
      expectThat(status === 304, `expected 304, got ${status}`);
    },
  },
  {
    id: "etag-weak",
    level: "must",
    rule: "If-None-Match compares ETags weakly.",
    source: `${rfc}; proxies that compress make ETags weak`,
    run: async (server) => {
      const tag = await workingTag(server);
      const { status } = await ifNoneMatch(server, tag.startsWith("W/") ? tag.slice(2) : `W/${tag}`);
      expectThat(status === 304, `expected 304, got ${status}`);
    },
  },
  {
    id: "etag-any",
    level: "should",
    rule: "If-None-Match: * is 304.",
    source: rfc,
    run: async (server) => {
      await workingTag(server);
      const { status } = await ifNoneMatch(server, "*");
      expectThat(status === 304, `expected 304, got ${status}`);
    },
  },
  {
    id: "etag-other",
    level: "must",
    rule: "A request with another ETag is 200.",
    source: rfc,
    run: async (server) => {
      await server.entityTag();
      const { status } = await ifNoneMatch(server, '"ofrep-conformance"');
      expectThat(status === 200, `expected 200, got ${status}`);
    },
  },
  {
    id: "etag-covers-context",
    level: "must",
    rule: "Contexts with different flags have different ETags.",
    source: "@openfeature/ofrep-web-provider sends the last ETag after a change of the context",
    run: async (server) => {
      const { otherContext } = server.options;
      if (!otherContext) throw new NotApplicable("needs --other-context");
      const one = await server.evaluateAll();
      const other = await server.evaluateAll(otherContext);
      if (isDeepStrictEqual(one.bulk.flags, other.bulk.flags)) {
        throw new NotApplicable("no flag differs between --context and --other-context");
      }
      const { etag } = one.answer.headers;
      if (etag === undefined) throw new NotApplicable("the bulk response has no ETag");
      expectThat(etag !== other.answer.headers.etag, `both contexts have the ETag ${etag}`);
    },
  },
  {
    id: "etag-follows-change",
    level: "must",
    rule: "The ETag changes with the flags.",
    source: "OFREP 0.3.0, header ETag",
    run: async (server) => {
      const tag = await server.entityTag();
      const before = await server.evaluateAll();
      await server.changed(async () => {
        const deadline = Date.now() + server.options.timeoutMs;
        let after = await server.evaluateAll();
        while (isDeepStrictEqual(after.bulk.flags, before.bulk.flags) && Date.now() < deadline) {
          after = await server.evaluateAll();
        }
        const isSame = isDeepStrictEqual(after.bulk.flags, before.bulk.flags);
        if (isSame) throw new NotApplicable("--change changed no flag of the context in time");
        expectThat(after.answer.headers.etag !== tag, `other flags have the same ETag ${tag}`);
      });
    },
  },
];
