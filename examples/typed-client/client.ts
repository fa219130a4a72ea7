// Adds a feature to a user's set, and shows where the user gets it from. All types come from the service.
import { hc } from "hono/client";
import type { Api } from "tidegate/api";

const { TIDEGATE_URL = "http://localhost:5000", TIDEGATE_CREDENTIAL = "" } = process.env;
const [userId = "1", feature = "feature_3"] = process.argv.slice(2).map(encodeURIComponent);

const { v1 } = hc<Api>(TIDEGATE_URL, { headers: { Authorization: `Bearer ${TIDEGATE_CREDENTIAL}` } }).admin;

const added = await v1.sources[":source"].features[":feature"].$put({
  param: { source: "user", feature },
  query: { userId, note: "typed client" },
});
if (added.status !== 200) {
  const { detail } = await added.json();
  throw new Error(detail);
}

const user = await v1.users[":userId"].$get({ param: { userId } });
if (user.status !== 200) throw new Error((await user.json()).detail);
const { sets, effective } = await user.json();
for (const { source, features } of sets) console.log(`${source}: ${features.join(" ")}`);
console.log(`on: ${effective.features.join(" ")}`);
