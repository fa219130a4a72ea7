import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { credentialIn } from "../../src/infrastructure/secrets/credential-secret.ts";
import { SetupFailed } from "../../src/infrastructure/setup-failed.ts";

describe("the first credential in a file", () => {
  const folder = mkdtempSync(join(tmpdir(), "tidegate-credential-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  it("is created once, readable by its owner only", () => {
    const file = join(folder, "deep/down/admin-token");
    const made = credentialIn(file);
    expect(made).toEqual({ secret: expect.stringMatching(/^tgc_[A-Za-z0-9_-]{43}$/), isNew: true });
    expect(readFileSync(file, "utf8")).toBe(`${made.secret}\n`);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, "deep/down")).mode & 0o777).toBe(0o700);
    expect(credentialIn(file)).toEqual({ secret: made.secret, isNew: false });
    expect(readdirSync(join(folder, "deep/down"))).toEqual(["admin-token"]);
  });

  it("is the same for all processes that start at once", async () => {
    const file = join(folder, "raced");
    const open = `import { credentialIn } from ${JSON.stringify(resolve("src/infrastructure/secrets/credential-secret.ts"))};
      console.log(JSON.stringify(credentialIn(${JSON.stringify(file)})));`;
    const ran = Array.from({ length: 3 }, () =>
      promisify(execFile)(process.execPath, ["--input-type=module", "--eval", open]),
    );
    const found = (await Promise.all(ran)).map(({ stdout }) => JSON.parse(stdout));
    expect(new Set(found.map(({ secret }) => secret)).size).toBe(1);
    expect(found.filter(({ isNew }) => isNew)).toHaveLength(1);
  });

  it("may be chosen by the operator, and is rejected if it is invalid", () => {
    const file = join(folder, "chosen");
    writeFileSync(file, "a-credential-of-mine\n");
    expect(credentialIn(file)).toEqual({ secret: "a-credential-of-mine", isNew: false });
    for (const content of ["", "short", "sixteen and spaces", "two-lines-of-text\ntwo-lines-of-text"]) {
      writeFileSync(file, content);
      expect(() => credentialIn(file)).toThrow(SetupFailed);
      expect(() => credentialIn(file)).toThrow(`cannot use the operator credential in ${file}: fewer than 16`);
    }
  });
});
