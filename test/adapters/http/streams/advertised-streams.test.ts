import { describe, expect, it } from "vitest";
import { AdvertisedStreams } from "../../../../src/adapters/http/streams/advertised-streams.ts";
import { StreamLimits } from "../../../../src/adapters/http/streams/stream-limits.ts";
import { ContextFields } from "../../../../src/application/evaluation/context-fields.ts";
import { until } from "../../../support/until.ts";

const context = { userId: "1", targetingKey: "1" };

/** The streams of a process whose store has its secret only while `isAway` returns `false`. */
function process(isAway: () => boolean) {
  const failures: unknown[] = [];
  const read = async () => (isAway() ? Promise.reject(new Error("away")) : new Uint8Array(32));
  const secrets = { read, replace: async () => {} };
  const limits = new StreamLimits({ perCaller: 10, perAddress: 10, perProcess: 10 });
  const fields = new ContextFields([]);
  const options = { fields, basePath: "", now: Date.now, failed: (cause: unknown) => void failures.push(cause) };
  const streams = new AdvertisedStreams(secrets, limits, options);
  const advertise = async () => {
    const advertised = await streams.advertise(context, undefined);
    const uri = advertised?.entry?.endpoint.requestUri ?? "";
    return { uri, read: advertised?.read, channel: new URLSearchParams(uri.split("?")[1]).get("channel") ?? "" };
  };
  return { streams, advertise, failures };
}

describe("the advertised streams of a process", () => {
  it("are its own while the secret cannot be read, and valid here alone", async () => {
    const { streams, advertise, failures } = process(() => true);
    const { uri, channel } = await advertise();
    expect(uri).toMatch(/^\/ofrep\/v1\/stream\?channel=[\w-]+$/);
    expect(await streams.contextOf(channel)).toEqual(context);
    expect(failures.length).toBeGreaterThan(0);
    await expect(process(() => true).streams.contextOf(channel)).rejects.toMatchObject({ code: "unknown-channel" });
  });

  it("are those of all instances once it can be read, and earlier ones stay valid", async () => {
    let isAway = true;
    const { streams, advertise } = process(() => isAway);
    const own = await advertise();
    isAway = false;
    await until(async () => (await advertise()).uri !== own.uri, "the secret is read");
    expect(own.read?.isCurrent(Date.now())).toBe(false);
    expect((await advertise()).uri).toBe((await process(() => false).advertise()).uri);
    expect(await streams.contextOf(own.channel)).toEqual(context);
  });
});
