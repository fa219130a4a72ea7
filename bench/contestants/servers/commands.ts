/** Sends the five commands of a miss by ioredis, merges, and responds: what a plain server without a cache does. */
import { createServer } from "node:http";
import { Redis } from "ioredis";
import { activeFeatures, globalFeatures } from "../../data.ts";

const redis = new Redis(process.env["REDIS_URL"] ?? "", { enableAutoPipelining: true });
const active = new Set(activeFeatures);

async function bodyFor(token: string): Promise<string | undefined> {
  const [user] = await Promise.all([redis.get(`token:${token}`), redis.pttl(`token:${token}`)]);
  if (user === null) return undefined;
  const key = `features:user:${user}`;
  const [own] = await Promise.all([redis.smembers(key), redis.pttl(key), redis.scard(key)]);
  return JSON.stringify({ active_features: [...globalFeatures, ...own.filter((name) => active.has(name))].sort() });
}

createServer(async (request, response) => {
  const token = request.headers.authorization?.slice("Bearer ".length);
  const body =
    token === undefined ? JSON.stringify({ active_features: globalFeatures.toSorted() }) : await bodyFor(token);
  if (body === undefined) {
    response.writeHead(401).end();
    return;
  }
  response.writeHead(200, { "Content-Type": "application/json", "Content-Length": body.length }).end(body, "latin1");
}).listen(Number(process.env["PORT"]), "127.0.0.1");
