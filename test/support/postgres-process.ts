import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, globSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import pg from "pg";
import { freePort } from "./free-port.ts";
import { until } from "./until.ts";

/** Debian's `nobody`: PostgreSQL does not run as root. */
const nobody = 65_534;

/** The folder of the installed PostgreSQL programs, if any; Debian keeps them off the path. */
export function postgresPrograms(): string | undefined {
  const { status, stdout } = spawnSync("sh", ["-c", "command -v initdb"], { encoding: "utf8" });
  if (status === 0) return dirname(stdout.trim());
  const folders = globSync("/usr/lib/postgresql/*/bin").filter((folder) => existsSync(join(folder, "initdb")));
  return folders.sort((a, b) => a.localeCompare(b, "en", { numeric: true })).at(-1);
}

/** Creates the files of an empty PostgreSQL server, and returns the user that must run it. */
export function initPostgres(...more: readonly string[]) {
  const programs = postgresPrograms();
  if (!programs) throw new Error("PostgreSQL is not installed");
  const folder = mkdtempSync(join(tmpdir(), "tidegate-postgres-"));
  const as = process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {};
  if (as.uid !== undefined) chownSync(folder, as.uid, as.gid);
  const data = join(folder, "data");
  const options = `--username postgres --auth trust --encoding UTF8 --locale C`.split(" ");
  execFileSync(join(programs, "initdb"), ["--pgdata", data, ...options, ...more], {
    stdio: "ignore",
    cwd: folder,
    ...as,
  });
  return { programs, folder, data, as };
}

/** Starts an empty, installed PostgreSQL on a free port of the loopback address. */
export async function startPostgresProcess(...more: readonly string[]) {
  const { programs, folder, data, as } = initPostgres("--no-sync");
  const port = await freePort();
  const settings = ["-D", data, "-p", `${port}`, "-h", "127.0.0.1", "-k", "", "-c", "shared_buffers=32MB", ...more];
  // The shell ends the server when its standard input closes, so that it ends with a killed test run.
  const script = '"$0" "$@" > /dev/null 2>&1 & cat; kill -INT $!; wait';
  const server = spawn("sh", ["-c", script, join(programs, "postgres"), ...settings], {
    stdio: ["pipe", "ignore", "ignore"],
    cwd: folder,
    ...as,
  });
  const stop = async () => {
    server.stdin?.end();
    if (server.exitCode === null && server.signalCode === null) await once(server, "exit");
    rmSync(folder, { recursive: true, force: true });
  };
  const url = `postgres://postgres:s3cret@127.0.0.1:${port}/postgres`;
  await until(() => answers(url), "PostgreSQL answers");
  return { url, stop };
}

/** Whether the server accepts clients: for a moment it accepts connections, and rejects clients because it is starting. */
async function answers(connectionString: string): Promise<boolean> {
  const client = new pg.Client({ connectionString });
  client.on("error", () => {});
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end();
  }
}
