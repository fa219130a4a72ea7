import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { admin, ask, embeddedLog, find, order, postEvent, send } from "../../../support/event-calls.ts";
import { sendRaw } from "../../../support/raw-http.ts";
import { startService, type TestService } from "../../../support/service.ts";

let service: TestService;
beforeAll(async () => {
  service = await startService(embeddedLog, { TIDEGATE_ADMIN_TOKEN: admin });
});
afterAll(() => service[Symbol.asyncDispose]());

type Problem = { code: string; detail: string; errors: { pointer: string; detail: string }[] };
const problem = async (response: Response) => [response.status, (await response.json()) as Problem] as const;

describe("an invalid query", () => {
  it.each([
    ["an unknown parameter", "compnent=order", "compnent", "known are component, environment"],
    ["a parameter of another language", "__proto__=1", "__proto__", "is unknown"],
    ["one that is given twice", "component=a&component=b", "component", "is repeated"],
    ["one in brackets", "component[]=a", "component[]", "is unknown"],
    ["a blank one", "component=", "component", "blank"],
    ["one of spaces", "email=%20%20", "email", "blank"],
    ["a NUL character", "message=a%00b", "message", "control characters"],
    ["bytes that are no text", "message=%ff%fe", "message", "UTF-8"],
    ["a day that does not exist", "from_date=02-30-2021", "from_date", "04-16-2021"],
    ["a month that does not exist", "to_date=13-01-2021", "to_date", "04-16-2021"],
    ["days first", "to_date=31-12-2021", "to_date", "04-16-2021"],
    ["a date in another form", "from_date=2021/04/16", "from_date", "2021-04-16"],
    ["an hour that does not exist", "from_date=2021-04-16T25:00:00Z", "from_date", "2021-04-16T09:30:00"],
    ["a plus that is not encoded", "from_date=2021-04-16T20:00:00+02:00", "from_date", "%2B"],
    ["seconds since 1970", "from_date=1618531200", "from_date", "04-16-2021"],
    ["an end before the beginning", "from_date=04-17-2021&to_date=04-16-2021", "to_date", "not after from_date"],
    ["an end at the beginning", "from_date=04-17-2021&to_date=2021-04-17T00:00:00Z", "to_date", "not after from_date"],
    ["no limit", "limit=0", "limit", "from 1 to 1000"],
    ["a limit below none", "limit=-1", "limit", "from 1 to 1000"],
    ["a limit above the most", "limit=1001", "limit", "from 1 to 1000"],
    ["a limit beyond numbers", "limit=1e9", "limit", "from 1 to 1000"],
    ["a limit that is not a number", "limit=abc", "limit", "from 1 to 1000"],
    ["a limit of more digits than numbers have", `limit=${"9".repeat(400)}`, "limit", "from 1 to 1000"],
    ["two limits", "limit=1&limit=2", "limit", "repeated"],
  ])("is rejected with the name of the parameter and the fix: %s", async (_, query, parameter, wayOut) => {
    const [status, { code, detail }] = await problem(await ask(service, `/events?${query}`));
    expect([status, code, detail]).toEqual([400, "invalid-query", expect.stringContaining(JSON.stringify(parameter))]);
    expect(detail).toContain(wayOut);
  });

  it("is rejected by each event route before the work starts", async () => {
    for (const path of ["/events/", "/events/export", "/events/stream"]) {
      expect((await problem(await ask(service, `${path}?from_date=02-30-2021`)))[1]).toMatchObject({
        code: "invalid-query",
      });
    }
    expect((await problem(await send(service, JSON.stringify(order), {}, "/events?x=1")))[1].code).toBe(
      "invalid-query",
    );
    for (const path of ["/events/export", "/events/stream"]) {
      expect((await problem(await ask(service, `${path}?limit=1`)))[1]).toMatchObject({ code: "invalid-query" });
    }
  });
});

describe("an invalid event", () => {
  const { message: _, ...withoutMessage } = order;
  it.each<[string, unknown, string, string]>([
    ["without one of the five", withoutMessage, "/message", "is missing"],
    ["with a field of its own", { ...order, isAdmin: true }, "/isAdmin", "is unknown"],
    ["with the field recordedBy", { ...order, recorded_by: "root" }, "/recorded_by", "is unknown"],
    ["with a time", { ...order, created_at: "1" }, "/created_at", "is unknown"],
    ["with a blank component", { ...order, component: " \t" }, "/component", "blank"],
    ["with an empty environment", { ...order, environment: "" }, "/environment", "blank"],
    ["with a blank message", { ...order, message: "\n" }, "/message", "blank"],
    ["with no email address", { ...order, email: "ade" }, "/email", "email address"],
    ["with half an email address", { ...order, email: "ade@" }, "/email", "email address"],
    ["with two email addresses", { ...order, email: "a@b.cd, e@f.gh" }, "/email", "email address"],
    ["with an email address and a line", { ...order, email: "a@b.cd\n" }, "/email", "email address"],
    ["with a very long email address", { ...order, email: `${"a".repeat(250)}@b.cd` }, "/email", "254"],
    ["with a number for a text", { ...order, message: 5 }, "/message", "expected string"],
    ["with null for a text", { ...order, component: null }, "/component", "expected string"],
    ["with a text for data", { ...order, data: "{}" }, "/data", "expected object"],
    ["with a list for data", { ...order, data: [] }, "/data", "expected object"],
    ["with null for data", { ...order, data: null }, "/data", "expected object"],
    ["with data of more than 64 KiB", { ...order, data: { a: "ä".repeat(32_765) } }, "/data", "65536 bytes"],
    ["with a very long component", { ...order, component: "c".repeat(201) }, "/component", "200"],
    ["with a very long message", { ...order, message: "m".repeat(10_001) }, "/message", "10000"],
    ["with a NUL character", { ...order, message: "a\0b" }, "/message", "NUL"],
    ["with a NUL character in data", { ...order, data: { a: ["x", { "b/c": "\0" }] } }, "/data/a/1/b~1c", "NUL"],
    ["with a NUL character in a name", { ...order, data: { "\0": 1 } }, "/data/\0", "NUL"],
    ["with half a character", { ...order, message: "\ud83d" }, "/message", "unpaired surrogate"],
    ["that Tidegate would write itself", { ...order, component: "features" }, "/component", "use another name"],
    ["that Tidegate would write of itself", { ...order, component: "tidegate" }, "/component", "use another name"],
    ["with a reserved component in white space", { ...order, component: " features\u00a0" }, "/component", "reserved"],
    ["with a reserved component in capitals", { ...order, component: "Features" }, "/component", "reserved"],
    ["with a reserved component in full width", { ...order, component: "ｆｅａｔｕｒｅｓ" }, "/component", "reserved"],
    ["with a reserved component and a long s", { ...order, component: "featureſ" }, "/component", "reserved"],
    ["with a reserved component and a dotless i", { ...order, component: "tıdegate" }, "/component", "reserved"],
    [
      "with a reserved component and a soft hyphen",
      { ...order, component: "tide\u00adgate" },
      "/component",
      "reserved",
    ],
    ["that is a list", [order], "", "expected object"],
    ["that is null", null, "", "expected object"],
    ["that is a text", "order", "", "expected object"],
  ])("is rejected with the pointer and the fix: %s", async (_, body, pointer, detail) => {
    const [status, answer] = await problem(await send(service, JSON.stringify(body)));
    expect([status, answer.code]).toEqual([422, "validation-failed"]);
    expect(answer.errors).toEqual([{ pointer, detail: expect.stringContaining(detail) }]);
    expect(answer.detail).toContain(answer.errors[0]?.detail);
  });

  it.each([
    ["numbers beyond all numbers", '{"a":1e400}', "/data/a"],
    ["numbers with too many digits", '{"a":[9007199254740993]}', "/data/a/0"],
    ["33 levels", `{"a":${"[".repeat(32)}${"]".repeat(32)}}`, `/data/a${"/0".repeat(31)}`],
    ["levels without end", `{"a":${"[".repeat(50_000)}${"]".repeat(50_000)}}`, `/data/a${"/0".repeat(31)}`],
  ])("is rejected for data with %s", async (_, data, pointer) => {
    const [status, { errors }] = await problem(await send(service, JSON.stringify(order).replace('{"age":20}', data)));
    expect([status, errors]).toEqual([422, [{ pointer, detail: expect.any(String) }]]);
  });

  it("gets all faults at once, up to a limit", async () => {
    const [, { errors, detail }] = await problem(
      await send(service, JSON.stringify({ data: 1, email: "x", message: "", odd: 1, environment: "e" })),
    );
    expect(errors.map(({ pointer }) => pointer).sort()).toEqual(
      ["/component", "/data", "/email", "/message", "/odd"].sort(),
    );
    expect(detail).toContain("and 2 more");
    const [, many] = await problem(
      await send(service, JSON.stringify({ ...order, data: { a: Array(5_000).fill("\0") } })),
    );
    expect(many.errors).toHaveLength(20);
    expect(many.detail).toContain("and 4997 more");
  });

  it.each<[string, string | Uint8Array<ArrayBuffer>]>([
    ["nothing", ""],
    ["half of it", '{"component":'],
    ["no JSON", "component=order"],
    ["JSON and more", `${JSON.stringify(order)}x`],
    ["a comment", `${JSON.stringify(order)} // order`],
    ["a byte order mark", new Uint8Array(Buffer.from(`\ufeff${JSON.stringify(order)}`))],
    ["UTF-16", new Uint8Array(Buffer.from(JSON.stringify(order), "utf16le"))],
    ["bytes that are no text", new Uint8Array(Buffer.from(JSON.stringify(order).replace("failed", "\xff"), "latin1"))],
    ["a name twice", JSON.stringify(order).replace("{", '{"email":"eve@example.org",')],
    ["a name twice, escaped", JSON.stringify(order).replace("{", '{"em\\u0061il":"eve@example.org",')],
    ["a name twice in data", JSON.stringify(order).replace('"age":20', '"age":20,"a":{"b":1,"b":2}')],
    ["a prototype", JSON.stringify(order).replace('"age":20', '"__proto__":{"polluted":1}')],
    ["a prototype, escaped", JSON.stringify(order).replace('"age":20', '"__pr\\u006fto__":{"polluted":1}')],
  ])("is rejected as invalid JSON: %s", async (_, body) => {
    const [status, { code }] = await problem(await send(service, body));
    expect([status, code]).toEqual([400, "invalid-json"]);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  it("can contain texts that look like repeated names", async () => {
    const data = { 'a":': 'b":', "\\": '\\":"', constructor: { prototype: [':"', '{"a":1}'] }, ["é\u2028"]: "😀" };
    const recorded = await postEvent(service, { ...order, component: "odd", data, message: '"\\":' });
    expect(recorded.data).toEqual(data);
    expect((await find(service, "/events?component=odd")).events).toEqual([recorded]);
  });

  it.each([
    ["no type", ""],
    ["text", "text/plain"],
    ["a form", "application/x-www-form-urlencoded"],
    ["another JSON", "application/merge-patch+json"],
    ["another alphabet", "application/json; charset=iso-8859-1"],
    ["two types", "application/json, text/plain"],
  ])("is rejected with the type %s", async (_, type) => {
    const [status, { code }] = await problem(await send(service, JSON.stringify(order), { "content-type": type }));
    expect([status, code]).toEqual([415, "unsupported-media-type"]);
  });

  it("is rejected if compressed, and accepted with each form of its type", async () => {
    const [status, { code }] = await problem(
      await send(service, JSON.stringify(order), { "content-encoding": "gzip" }),
    );
    expect([status, code]).toEqual([415, "unsupported-media-type"]);
    for (const type of ["application/json;charset=utf-8", 'Application/JSON; charset="UTF-8"']) {
      await postEvent(service, order, { "content-type": type, "content-encoding": "identity" });
    }
  });

  it("is rejected if too large, without reading it all", async () => {
    const [status, { code, detail }] = await problem(
      await send(service, JSON.stringify({ ...order, x: "x".repeat(131_072) })),
    );
    expect([status, code, detail]).toEqual([413, "payload-too-large", expect.stringContaining("131072 bytes")]);
    const head = `POST /events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${admin}\r\nContent-Type: application/json\r\n`;
    const announced = await sendRaw(service.url, `${head}Content-Length: 99999999999\r\n\r\n{`);
    expect([announced.status, announced.body]).toEqual([413, expect.stringContaining('"code":"payload-too-large"')]);
    const chunk = `8000\r\n${"x".repeat(0x8000)}\r\n`;
    const chunked = await sendRaw(service.url, `${head}Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(5)}`);
    expect([chunked.status, chunked.head]).toEqual([413, expect.stringMatching(/^connection: close/im)]);
  });
});
