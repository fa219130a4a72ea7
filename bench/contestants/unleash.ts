import { execFileSync, spawnSync } from "node:child_process";
import { chownSync, existsSync, writeFileSync } from "node:fs";
import { mkdtempDisposable } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { freePort } from "../../test/support/free-port.ts";
import { Client } from "../client.ts";
import { activeFeatures, featureNames, globalFeatures, userCount } from "../data.ts";
import { answers, Process, startServer } from "../process.ts";
import { rotating } from "../wrk.ts";
import { type Contestant, Unobtainable } from "./contestant.ts";

const server = resolve(import.meta.dirname, "../node_modules/unleash-server/dist/server.js");
const headers = { Authorization: "default:development.of-the-benchmark" };
const target = (user: number): string => `/api/frontend?userId=${user}`;
/** Debian's `nobody`: PostgreSQL does not run as root. */
const nobody = 65_534;

/** Starts Unleash on its own PostgreSQL, with the same number of flags, of which the same number are on for a user. */
export async function unleash(opened: AsyncDisposableStack): Promise<Contestant> {
  if (!existsSync(server)) throw new Unobtainable("Unleash is not installed: npm ci --ignore-scripts --prefix bench");
  if (spawnSync("which", ["postgres", "initdb"]).status !== 0) {
    throw new Unobtainable(
      "Unleash needs PostgreSQL: apt-get install -y postgresql, and its initdb and postgres on the path",
    );
  }
  const folder = opened.use(await mkdtempDisposable(join(tmpdir(), "tidegate-unleash-"))).path;
  const databasePort = await startPostgres(opened, folder);
  const flags = join(folder, "flags.json");
  writeFileSync(flags, JSON.stringify(exported()));
  const { process: started, url } = await startServer(opened, [process.execPath, server], {
    path: "/health",
    env: {
      DATABASE_URL: `postgres://unleash@127.0.0.1:${databasePort}/postgres`,
      DATABASE_SSL: "false",
      INIT_FRONTEND_API_TOKENS: headers.Authorization,
      IMPORT_FILE: flags,
      SDK_API_RATE_LIMIT_PER_MINUTE: "100000000",
      TOKEN_AUTHENTICATION_RATE_LIMIT_PER_MINUTE: "100000000",
      CHECK_VERSION: "false",
      SEND_TELEMETRY: "false",
      LOG_LEVEL: "error",
      NODE_ENV: "production",
    },
  });
  const at = (user: number) => new URL(target(user), url).href;
  await started.ready(() => answers(at(0)));
  return {
    name: "Unleash, frontend API",
    server: { process: started, url },
    script: rotating(Array.from({ length: userCount }, (_, user) => ({ path: target(user), headers }))),
    check: () => check(at),
  };
}

async function startPostgres(opened: AsyncDisposableStack, folder: string): Promise<number> {
  const uid = process.getuid?.() === 0 ? nobody : undefined;
  if (uid !== undefined) chownSync(folder, uid, uid);
  const data = join(folder, "postgres");
  execFileSync("initdb", ["--pgdata", data, "--username", "unleash", "--auth", "trust", "--no-sync"], {
    stdio: "ignore",
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  const port = await freePort();
  const options = ["-D", data, "-p", `${port}`, "-h", "127.0.0.1", "-k", "", "-F"];
  const postgres = opened.use(
    new Process(["postgres", ...options], { signal: "SIGINT", ...(uid === undefined ? {} : { uid }) }),
  );
  await postgres.ready(() => accepts(port));
  return port;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => done(true)).once("error", () => done(false));
    socket.once("connect", () => socket.destroy());
  });
}

/**
 * The equivalent Unleash export: features for everyone are on for all, active ones for 15 % of the users, others are
 * off.
 */
function exported(): object {
  const share = (name: string) => (globalFeatures.includes(name) ? "100" : "15");
  const isOn = (name: string) => globalFeatures.includes(name) || activeFeatures.includes(name);
  return {
    features: featureNames.map((name) => ({ name, type: "release" })),
    featureStrategies: featureNames.map((name) => ({
      name: "flexibleRollout",
      featureName: name,
      parameters: { rollout: share(name), stickiness: "userId", groupId: name },
    })),
    featureEnvironments: featureNames.map((name) => ({
      name,
      featureName: name,
      environment: "development",
      enabled: isOn(name),
    })),
    tagTypes: [],
  };
}

async function check(at: (user: number) => string): Promise<void> {
  using client = new Client();
  let sum = 0;
  for (let user = 0; user < 20; user++) {
    const { status, body } = await client.ask(at(user), headers);
    const { toggles = [] } = JSON.parse(body) as { toggles?: { name: string; enabled: boolean }[] };
    const on = toggles.filter(({ enabled }) => enabled).map(({ name }) => name);
    const wrong =
      globalFeatures.find((name) => !on.includes(name)) ?? featureNames.slice(70).find((name) => on.includes(name));
    if (status !== 200 || wrong) throw new Error(`Unleash answers wrongly (${wrong}): ${status} ${body}`);
    sum += on.length;
  }
  if (sum / 20 < 25 || sum / 20 > 31) throw new Error(`Unleash answers ${sum / 20} flags a user, not about 28`);
  const { status } = await client.ask(at(0), { Authorization: "default:development.of-nobody" });
  if (status !== 401) throw new Error(`Unleash answers an unknown token ${status}, not 401`);
}
