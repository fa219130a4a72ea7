import { rmSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "./free-port.ts";
import { Killable } from "./killable.ts";
import { initPostgres } from "./postgres-process.ts";

/** An empty PostgreSQL that keeps acknowledged data over a kill; not started yet. */
export async function killablePostgres(): Promise<Killable> {
  const { programs, folder, data, as } = initPostgres();
  const port = await freePort();
  return new (class extends Killable {
    override async [Symbol.asyncDispose](): Promise<void> {
      await super[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    }
  })(port, [join(programs, "postgres"), "-D", data, "-p", `${port}`, "-h", "127.0.0.1", "-k", ""], as);
}
