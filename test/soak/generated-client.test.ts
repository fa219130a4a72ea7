import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { adminToken, sqliteRules } from "../support/operator.ts";
import { startService } from "../support/service.ts";

const root = resolve(import.meta.dirname, "../..");
const execute = promisify(execFile);

/** A program on the types that a generator made from the document of the service. */
const program = (url: string) => `
import createClient from "openapi-fetch";
import type { paths } from "./api.ts";

const headers = { Authorization: "Bearer ${adminToken}" };
const { GET, PUT } = createClient<paths>({ baseUrl: "${url}", headers });

const { data: change, error } = await PUT("/admin/v1/sources/{source}/features/{feature}", {
  params: { path: { source: "global", feature: "new/menu" }, query: { note: "generated" } },
});
if (error) throw new Error(error.detail);
const { data: found } = await GET("/admin/v1/features", { params: { query: { search: "menu", limit: 10 } } });
const features: readonly string[] = found?.features.map(({ feature }) => feature) ?? [];
const { data: evaluated } = await GET("/features", { headers: { Authorization: null } });
console.log(JSON.stringify([change.added, features, evaluated?.active_features]));

// @ts-expect-error: a path that the service does not have.
() => GET("/admin/v1/feature");
// @ts-expect-error: a parameter is missing.
() => PUT("/admin/v1/killed/{feature}", {});
`;

it("a client that is generated from the OpenAPI document calls the service", async () => {
  await using service = await startService(sqliteRules, { TIDEGATE_ADMIN_TOKEN: adminToken });
  const folder = mkdtempSync(join(tmpdir(), "tidegate-generated-"));
  const tools = join(root, "site/node_modules");
  symlinkSync(tools, join(folder, "node_modules"));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  writeFileSync(join(folder, "client.ts"), program(service.url));
  const generate = [join(tools, "openapi-typescript/bin/cli.js"), `${service.url}/openapi.json`];
  await execute(process.execPath, [...generate, "--output", "api.ts"], { cwd: folder });
  const options = [
    "--noEmit",
    "--strict",
    "--allowImportingTsExtensions",
    "--module",
    "nodenext",
    "--target",
    "esnext",
  ];
  await execute(join(root, "node_modules/.bin/tsc"), [...options, "--skipLibCheck", "client.ts"], { cwd: folder });
  const { stdout } = await execute(process.execPath, ["client.ts"], { cwd: folder });
  expect(JSON.parse(stdout)).toEqual([["new/menu"], ["new/menu"], ["always", "new/menu"]]);
  rmSync(folder, { recursive: true });
});
