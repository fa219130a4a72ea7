import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";

/** A program that the tests use, and the Debian package that has it. */
export type NeededProgram = {
  readonly name: string;
  readonly debianPackage: string;
  readonly isInstalled: () => boolean;
};

/** Installs a program as root on Debian. Throws with the command to type if it cannot, or if the command has no effect. */
export function installIfMissing({ name, debianPackage, isInstalled }: NeededProgram): void {
  if (isInstalled()) return;
  const install = `apt-get update && apt-get install -y --no-install-recommends ${debianPackage}`;
  const isRootOnDebian = process.getuid?.() === 0 && existsSync("/etc/debian_version");
  if (!isRootOnDebian)
    throw new Error(`The tests need ${name}, which is not here. On Debian type:\n  sudo sh -c '${install}'`);
  console.log(`The tests need ${name}; installing it: ${install}`);
  execFileSync("sh", ["-c", install], {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
  });
  if (!isInstalled()) throw new Error(`${name} is still not here; type: ${install}`);
}
