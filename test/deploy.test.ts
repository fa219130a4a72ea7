import { existsSync, globSync, readFileSync } from "node:fs";
import { join, matchesGlob, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import packageJson from "../package.json" with { type: "json" };
import { isAllowedLicence } from "./support/licences.ts";

const root = resolve(import.meta.dirname, "..");
const read = (file: string) => readFileSync(join(root, file), "utf8");

/** Packages of which the build copies files, although the clone needs them for development only. */
const copied = ["node_modules/swagger-ui-dist", "node_modules/@ip-location-db/geo-whois-asn-country-mmdb"];

describe("a release", () => {
  it("has one version in the package, the chart and the changelog", () => {
    const { version } = packageJson;
    expect(parse(read("deploy/chart/Chart.yaml"))).toMatchObject({ version, appVersion: version });
    expect(read("CHANGELOG.md")).toMatch(
      new RegExp(`^## \\[${RegExp.escape(version)}\\] - \\d{4}-\\d\\d-\\d\\d$`, "m"),
    );
  });

  it.each(["package-lock.json", "backoffice/package-lock.json"])(
    "contains only packages under licences that allow it: %s",
    (file) => {
      const { packages } = JSON.parse(read(file)) as {
        packages: Record<string, { license?: string; dev?: true; optional?: true }>;
      };
      const shipped = Object.entries(packages).filter(
        ([path, { dev, optional }]) => path !== "" && ((!dev && !optional) || copied.includes(path)),
      );
      expect(shipped.length).toBeGreaterThan(20);
      if (file === "package-lock.json") expect(shipped.map(([path]) => path)).toEqual(expect.arrayContaining(copied));
      const others = shipped.filter(([, { license = "none" }]) => !isAllowedLicence(license));
      expect(others.map(([path, { license }]) => `${path}: ${license}`)).toEqual([]);
    },
  );

  it("is made by workflows with pinned actions", () => {
    for (const file of globSync(".github/workflows/*.yml", { cwd: root })) {
      for (const [, action] of read(file).matchAll(/uses: (?!\.\/)(\S+)/g)) {
        expect(action, file).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40}$/);
      }
    }
  });
});

describe("the chart", () => {
  it("sets no environment variable twice", () => {
    const { properties } = JSON.parse(read("deploy/chart/values.schema.json"));
    const deployment = read("deploy/chart/templates/deployment.yaml");
    const set = [...deployment.matchAll(/- \{ name: ([A-Z_]+), value: /g)].map(([, name]) => name);
    // The template leaves this one out if the values have it.
    expect(deployment).toContain('not (hasKey .Values.env "WEB_CONCURRENCY")');
    const fixed = set.filter((name) => name !== "WEB_CONCURRENCY");
    expect(properties.env.propertyNames.not.enum).toEqual(fixed.sort());
  });
});

describe("the image", () => {
  it("is built from all that the build of the package reads", () => {
    const sent = [...read(".dockerignore").matchAll(/^!(.+)$/gm)].map(([, pattern = ""]) => pattern);
    const roots = [...read("scripts/build-package.ts").matchAll(/"([\w.-]+)(?:\/[^"]*)?"/g)]
      .map(([, name = ""]) => name)
      .filter((name) => ![".", "..", "dist", "node_modules"].includes(name) && existsSync(join(root, name)));
    expect(roots).toEqual(expect.arrayContaining(["src", "docs", "README.md"]));
    expect(roots.filter((name) => !sent.some((pattern) => matchesGlob(name, pattern)))).toEqual([]);
  });
});

describe("compose.yaml", () => {
  it("needs exactly the variables that .env.example lists", () => {
    const used = [...read("compose.yaml").matchAll(/\$\{(\w+)/g)].map(([, name]) => name);
    const listed = [...read(".env.example").matchAll(/^#?(\w+)=/gm)].map(([, name]) => name);
    expect(new Set(listed)).toEqual(new Set(used));
  });
});
