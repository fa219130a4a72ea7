import { expect, it } from "vitest";
import { redacted } from "../../../src/bootstrap/config/redacted.ts";

/** A reference to a variable. */
const variable = (text: string) => `$\{${text}}`;

it("keeps the text, with variables that are not filled in", () => {
  const text = `
server: { port: "${variable("PORT:-5000")}", workers: 2 }
tokens: { connection: users, key: "token:{token}", pepperFile: /run/pepper }
admin: { tokenFile: "${variable("TIDEGATE_DATA")}/token" }
sources: [{ name: user, key: "features:user:{userId}", gatedBy: [active] }]
`;
  expect(redacted(text)).toEqual({
    server: { port: variable("PORT:-5000"), workers: 2 },
    tokens: { connection: "users", key: "token:{token}", pepperFile: "/run/pepper" },
    admin: { tokenFile: `${variable("TIDEGATE_DATA")}/token` },
    sources: [{ name: "user", key: "features:user:{userId}", gatedBy: ["active"] }],
  });
});

it.each([
  ["url: redis://ana:s3cret@host:6379/1", { url: "redis://ana:***@host:6379/1" }],
  ["url: redis://:s3cret@host", { url: "redis://:***@host" }],
  ["url: 'https://flags.example/a?key=s3cret'", { url: "https://flags.example/a?***" }],
  [`url: 'redis://ana:${variable("PASSWORD:-s3cret")}@host'`, { url: "redis://ana:***@host" }],
  [`url: '${variable("REDIS_URL:-redis://:s3cret@host")}'`, { url: variable("REDIS_URL") }],
  ["authorization: Bearer s3cret", { authorization: "***" }],
  [`authorization: 'Bearer ${variable("FLAGS_TOKEN")}'`, { authorization: variable("FLAGS_TOKEN") }],
  [`token: '${variable("TOKEN:-s3cret")}'`, { token: variable("TOKEN") }],
  ["apiKey: s3cret", { apiKey: "***" }],
  [
    `headers: { X-Anything: s3cret, Accept: '${variable("A")}' }`,
    { headers: { "X-Anything": "***", Accept: variable("A") } },
  ],
  ["a: &a { password: s3cret }\nb: *a", { a: { password: "***" }, b: { password: "***" } }],
])("hides the secret in %s", (text, expected) => {
  expect(redacted(text)).toEqual(expected);
});
