import { spawnSync } from "node:child_process";
import { basic, checkAnswers } from "../../client.ts";
import { tokenOf, userCount } from "../../data.ts";
import { startServer } from "../../process.ts";
import { rotating } from "../../wrk.ts";
import { type Contestant, Unobtainable } from "../contestant.ts";

/** Debian's Python, whose packages are used. Another one may come first in the path. */
const python = "/usr/bin/python3";

/** Starts `app.py` with gunicorn's settings. */
export async function seedDesign(
  opened: AsyncDisposableStack,
  name: string,
  settings: readonly string[],
  redisUrl: string,
  processors?: string,
): Promise<Contestant> {
  if (spawnSync(python, ["-c", "import flask, gunicorn, redis"]).status !== 0) {
    throw new Unobtainable(`${name} needs Flask: apt-get install -y gunicorn python3-flask python3-redis`);
  }
  const command = [python, "-B", "-m", "gunicorn", "--log-level", "warning", ...settings, "app:app"];
  const server = await startServer(opened, command, {
    path: "/features",
    folder: import.meta.dirname,
    env: { REDIS_USERS_URL: redisUrl, REDIS_FEATURES_URL: redisUrl },
    ...(processors === undefined ? {} : { processors }),
  });
  const calls = Array.from({ length: userCount }, (_, user) => ({ headers: basic(tokenOf(user)) }));
  return {
    name,
    server,
    script: rotating(calls),
    check: () => checkAnswers(server.url, { credentials: basic }),
  };
}
