import { describe, expect, it } from "vitest";
import { ForwardReports, type Report } from "../../../src/application/unleash/forward-reports.ts";
import { until } from "../../support/until.ts";

const report = (body = "{}"): Report => ({ kind: "metrics", headers: {}, body });

describe("forwarding reports", () => {
  it("sends one after another, in order", async () => {
    const sent: string[] = [];
    let open = 0;
    const reports = new ForwardReports(
      async ({ body }) => {
        open += 1;
        expect(open).toBe(1);
        await Promise.resolve();
        sent.push(body);
        open -= 1;
      },
      { failed: () => {}, recovered: () => {} },
    );
    for (const body of ["1", "2", "3"]) reports.receive(report(body));
    await until(() => sent.length === 3, "all are sent");
    expect(sent).toEqual(["1", "2", "3"]);
    expect(reports.counts).toEqual({ received: 3, forwarded: 3, dropped: 0 });
  });

  it("drops reports beyond the queue while the server does not respond", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const reports = new ForwardReports(() => promise, { failed: () => {}, recovered: () => {} });
    for (let index = 0; index < 150; index += 1) reports.receive(report());
    // One is in flight, and 100 are queued.
    expect(reports.counts).toEqual({ received: 150, forwarded: 0, dropped: 49 });
    resolve();
    await until(() => reports.counts.forwarded === 101, "the rest is sent");
    const large = "x".repeat(3_000_000);
    const slow = new ForwardReports(() => new Promise(() => {}), { failed: () => {}, recovered: () => {} });
    for (let index = 0; index < 3; index += 1) slow.receive(report(large));
    expect(slow.counts.dropped).toBe(1);
  });

  it("logs the first failure, and the recovery", async () => {
    const logged: string[] = [];
    let isDown = true;
    const reports = new ForwardReports(() => (isDown ? Promise.reject(new Error("down")) : Promise.resolve()), {
      failed: (cause) => logged.push(String(cause)),
      recovered: () => logged.push("recovered"),
    });
    for (let index = 0; index < 2; index += 1) reports.receive(report());
    await until(() => reports.counts.dropped === 2, "both are dropped");
    isDown = false;
    reports.receive(report());
    await until(() => reports.counts.forwarded === 1, "the next is sent");
    expect(logged).toEqual(["Error: down", "recovered"]);
  });

  it("counts reports without a server", () => {
    const reports = new ForwardReports(undefined, { failed: () => {}, recovered: () => {} });
    reports.receive(report());
    expect(reports.counts).toEqual({ received: 1, forwarded: 0, dropped: 0 });
  });
});
