import { execFileSync } from "node:child_process";
import { chownSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.ts";
import { Killable, type User } from "./killable.ts";
import { postgresPrograms } from "./postgres-process.ts";

/** Debian's `nobody`: PostgreSQL does not run as root. */
const nobody = 65_534;

/** An empty PostgreSQL that keeps what it acknowledged when it is killed; not started yet. */
export async function killablePostgres(): Promise<Killable> {
  const programs = postgresPrograms();
  if (!programs) throw new Error("PostgreSQL is not here");
  const folder = mkdtempSync(join(tmpdir(), "tidegate-killable-"));
  const user: User = process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {};
  if (user.uid !== undefined) chownSync(folder, user.uid, nobody);
  const data = join(folder, "data");
  const initial = [
    "--pgdata",
    data,
    "--username",
    "postgres",
    "--auth",
    "trust",
    "--encoding",
    "UTF8",
    "--locale",
    "C",
  ];
  execFileSync(join(programs, "initdb"), initial, { stdio: "ignore", cwd: folder, ...user });
  const port = await freePort();
  return new (class extends Killable {
    override async [Symbol.asyncDispose](): Promise<void> {
      await super[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    }
  })(port, [join(programs, "postgres"), "-D", data, "-p", `${port}`, "-h", "127.0.0.1", "-k", ""], user);
}
