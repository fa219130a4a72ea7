/** Looks up prepared responses of all users by the SHA-256 of their header: the floor of a server that caches them. */
import { hash } from "node:crypto";
import { createServer } from "node:http";
import { featuresOf, globalFeatures, tokenOf, userCount } from "../../data.ts";

type Prepared = { readonly body: string; readonly headers: string[] };

const keyOf = (authorization: string): string => hash("sha256", authorization, "base64url");

function prepared(features: readonly string[]): Prepared {
  const body = JSON.stringify({ active_features: features });
  const headers = {
    "Content-Type": "application/json",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "private, no-cache",
    Vary: "Authorization",
    "Content-Length": `${body.length}`,
    ETag: `"${hash("sha256", body, "base64url")}"`,
  };
  return { body, headers: Object.entries(headers).flat() };
}

const responses = new Map<string, Prepared>();
for (let user = 0; user < userCount; user++)
  responses.set(keyOf(`Bearer ${tokenOf(user)}`), prepared(featuresOf(user)));
const anonymous = prepared(globalFeatures.toSorted());

function authorizationIn(rawHeaders: readonly string[]): string | undefined {
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.toLowerCase() === "authorization") return rawHeaders[index + 1];
  }
  return undefined;
}

createServer({ optimizeEmptyRequests: true }, ({ rawHeaders }, response) => {
  const authorization = authorizationIn(rawHeaders);
  const found = authorization === undefined ? anonymous : responses.get(keyOf(authorization));
  if (found) response.writeHead(200, found.headers).end(found.body, "latin1");
  else response.writeHead(401).end();
}).listen(Number(process.env["PORT"]), "127.0.0.1");
