import type { Socket } from "node:net";
import { compile } from "proxy-addr";
import { describe, expect, it } from "vitest";
import { clientAddress } from "../../../../src/adapters/http/client/client-address.ts";

const isTrusted = compile(["loopback", "10.0.0.0/8"]);

const addressOf = (headers: Record<string, string>, remoteAddress: string | undefined = "127.0.0.1") =>
  clientAddress({ socket: { remoteAddress } as Socket, headers }, isTrusted);

describe("the address of a client", () => {
  it.each([
    ["203.0.113.9", "203.0.113.9"],
    ["203.0.113.9:17085", "203.0.113.9"],
    ['"203.0.113.9:17085"', "203.0.113.9"],
    ["2001:db8::1", "2001:db8::1"],
    ["[2001:db8::1]", "2001:db8::1"],
    ["[2001:db8::1]:4711", "2001:db8::1"],
    ['"[2001:db8::1]:4711"', "2001:db8::1"],
    ["::ffff:203.0.113.9", "203.0.113.9"],
    ["[::FFFF:203.0.113.9]:80", "203.0.113.9"],
    ["1.1.1.1, 203.0.113.9:1, 10.1.2.3:2", "203.0.113.9"],
    ["1.1.1.1,,203.0.113.9 ,\t10.1.2.3", "203.0.113.9"],
    ["10.1.2.3:1, [::ffff:10.1.2.4]:2", "10.1.2.3"],
    ['", 203.0.113.9', "203.0.113.9"],
    ["", "127.0.0.1"],
    [" , ", "127.0.0.1"],
    ["203.0.113.9, unknown", undefined],
    ["203.0.113.9, 10.1.2.3.4", undefined],
    ["203.0.113.9:80:80", undefined],
    ["[203.0.113.9", undefined],
    ["[]", undefined],
  ])("is read from X-Forwarded-For: %s", (value, address) => {
    expect(addressOf({ "x-forwarded-for": value })).toBe(address);
  });

  it.each([
    ["for=203.0.113.9", "203.0.113.9"],
    ['For="203.0.113.9:17085"', "203.0.113.9"],
    ['for="[2001:db8::1]"', "2001:db8::1"],
    ['for="[2001:db8::1]:4711"', "2001:db8::1"],
    ['for="[2001:db8::1]:_obscured"', "2001:db8::1"],
    ["proto=https; for=203.0.113.9 ;by=10.1.2.3", "203.0.113.9"],
    ['for=1.1.1.1, for="203.0.113.9", for="10.1.2.3:80"', "203.0.113.9"],
    ['host="a,for=6.6.6.6;x";for=203.0.113.9', "203.0.113.9"],
    ['for="6.6.6.6, for=203.0.113.9', undefined],
    ['for="6.6.6.6, for="[2001:db8::1]"', undefined],
    ["for=unknown", undefined],
    ["for=_hidden", undefined],
    ["by=203.0.113.9", undefined],
    ["203.0.113.9", undefined],
    ["", undefined],
  ])("is read from Forwarded: %s", (value, address) => {
    expect(addressOf({ forwarded: value })).toBe(address);
  });

  it("is read from X-Forwarded-For if a request has both headers", () => {
    expect(addressOf({ "x-forwarded-for": "203.0.113.9", forwarded: "for=6.6.6.6" })).toBe("203.0.113.9");
    expect(addressOf({ "x-forwarded-for": "unknown", forwarded: "for=6.6.6.6" })).toBeUndefined();
  });

  it("is that of the connection if the peer is no trusted proxy", () => {
    expect(addressOf({ "x-forwarded-for": "6.6.6.6", forwarded: "for=6.6.6.6" }, "::ffff:203.0.113.9")).toBe(
      "203.0.113.9",
    );
  });

  it("is unknown on a closed connection", () => {
    expect(addressOf({ "x-forwarded-for": "6.6.6.6" }, "")).toBeUndefined();
  });
});
