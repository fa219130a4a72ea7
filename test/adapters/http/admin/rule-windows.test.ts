import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Operator, sqliteRules, startOperator } from "../../../support/operator.ts";

const more = `
  - { name: rollout, kind: percentage, connection: features }
  - { name: times, kind: schedule, connection: features }
`;
const friday = { recurrence: "FREQ=WEEKLY;BYDAY=FR", from: "18:00", to: "23:00", timeZone: "Europe/Madrid" };
const span = { from: "2036-11-17T00:00:00Z", to: "2036-11-24T00:00:00Z" };

describe("the windows of a schedule", () => {
  let operator: Operator & AsyncDisposable;
  beforeAll(async () => {
    operator = await startOperator(sqliteRules + more);
    await operator.put("/sources/times/rules/a%2Fb", {}, { windows: [friday] });
  });
  afterAll(async () => {
    await operator[Symbol.asyncDispose]();
  });

  const windows = (body: unknown, feature = "a%2Fb", source = "times") =>
    operator.post(`/sources/${source}/rules/${feature}/windows`, body);
  const preview = async (rule: object, request: object = span) => (await windows({ ...request, rule })).body;

  it("are those of the stored rule, with the next change", async () => {
    const { status, body } = await windows(span);
    expect(status).toBe(200);
    expect(body).toEqual({
      from: "2036-11-17T00:00:00.000Z",
      to: "2036-11-24T00:00:00.000Z",
      on: [{ from: "2036-11-21T17:00:00.000Z", to: "2036-11-21T22:00:00.000Z" }],
      nextChange: "2036-11-28T17:00:00.000Z",
    });
  });

  it("begin now and span seven days by default", async () => {
    const { from, to, on } = (await operator.post("/sources/times/rules/a%2Fb/windows")).body;
    expect(Math.abs(Date.parse(from) - Date.now())).toBeLessThan(60_000);
    expect(Date.parse(to) - Date.parse(from)).toBe(7 * 86_400_000);
    expect(on.length).toBeGreaterThan(0);
  });

  it("are cut off at the span, and change where it ends", async () => {
    const evening = { from: "2036-11-21T18:00:00Z", to: "2036-11-21T20:00:00+00:00" };
    expect((await windows(evening)).body).toMatchObject({
      on: [{ from: "2036-11-21T18:00:00.000Z", to: "2036-11-21T20:00:00.000Z" }],
      nextChange: "2036-11-21T22:00:00.000Z",
    });
    expect((await windows({ ...evening, to: "2036-11-21T22:00:00Z" })).body.nextChange).toBe(
      "2036-11-21T22:00:00.000Z",
    );
  });

  it("are those of a rule that is previewed, which is not stored", async () => {
    const rule = { windows: [{ startsAt: "2036-11-18T08:00:00Z" }] };
    expect(await preview(rule)).toMatchObject({
      on: [{ from: "2036-11-18T08:00:00.000Z", to: "2036-11-24T00:00:00.000Z" }],
      nextChange: null,
    });
    expect((await windows({ ...span, rule }, "unknown")).status).toBe(200);
    expect((await windows(span, "unknown")).body.code).toBe("unknown-feature");
    expect((await operator.get("/sources/times/rules/a/b")).body.rule).toEqual({ windows: [friday] });
  });

  it("are one where they adjoin, across a change of the clock", async () => {
    const daily = { ...friday, recurrence: "FREQ=DAILY", from: "00:00", to: "00:00" };
    const days = { from: "2036-10-25T00:00:00+02:00", to: "2036-10-28T00:00:00+01:00" };
    expect(await preview({ windows: [daily] }, days)).toMatchObject({
      on: [{ from: "2036-10-24T22:00:00.000Z", to: "2036-10-27T23:00:00.000Z" }],
      nextChange: null,
    });
    const night = { ...daily, from: "22:00", to: "06:00" };
    expect((await preview({ windows: [night] }, days)).on).toEqual([
      { from: "2036-10-24T22:00:00.000Z", to: "2036-10-25T04:00:00.000Z" },
      { from: "2036-10-25T20:00:00.000Z", to: "2036-10-26T05:00:00.000Z" },
      { from: "2036-10-26T21:00:00.000Z", to: "2036-10-27T05:00:00.000Z" },
      { from: "2036-10-27T21:00:00.000Z", to: "2036-10-27T23:00:00.000Z" },
    ]);
  });

  it("end earlier if there are too many", async () => {
    const times = Array.from({ length: 20 }, (_, hour) => String(hour).padStart(2, "0"));
    const often = times.map((hour) => ({ ...friday, recurrence: "FREQ=DAILY", from: `${hour}:00`, to: `${hour}:30` }));
    const { to, on, nextChange } = await preview(
      { windows: often },
      { from: "2036-11-01T00:00:00+01:00", to: "2036-11-30T00:00:00Z" },
    );
    expect(on.length).toBe(200);
    expect([to, nextChange]).toEqual(["2036-11-10T23:00:00.000Z", "2036-11-10T23:00:00.000Z"]);
  });

  it.each([
    [{ from: "2036-11-17T00:00:00Z", to: "2036-11-17T00:00:00Z" }, "/to"],
    [{ from: "2036-11-17T00:00:00Z", to: "2036-12-18T00:00:01Z" }, "/to"],
    [{ from: "today" }, "/from"],
    [{ ...span, rule: { windows: [{ ...friday, from: "25:00" }] } }, "/rule/windows/0/from"],
    [{ ...span, rule: null }, "/rule"],
  ])("are refused for %j", async (body, pointer) => {
    const answer = await windows(body);
    expect([answer.status, answer.body.errors.map((fault: { pointer: string }) => fault.pointer)]).toEqual([
      422,
      [pointer],
    ]);
  });

  it("need a rule that depends on the time alone", async () => {
    await operator.put("/sources/rollout/rules/menu", {}, { percentage: 20 });
    const { status, body } = await windows(span, "menu", "rollout");
    expect([status, body.detail]).toEqual([422, expect.stringMatching(/"rollout" do not depend on the time alone/)]);
    expect((await windows(span, "menu", "global")).body.code).toBe("not-changeable");
    expect((await windows(span, "menu", "none")).body.code).toBe("unknown-source");
  });
});
