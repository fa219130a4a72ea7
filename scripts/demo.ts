import { once } from "node:events";
import { startDemoShop } from "../test/backoffice/support/demo-shop.ts";

/** Serves a shop with a past of ten days until Ctrl-C, for a look at the backoffice page. Keeps nothing. */
await using shop = await startDemoShop({ isPast: true, port: Number(process.env["PORT"] ?? 5000) });
console.log(`${shop.service.url}/backoffice/ shows a shop with invented data. Sign in as:`);
for (const [person, credential] of Object.entries(shop.credentials)) console.log(`${person.padEnd(14)} ${credential}`);
console.log("noa.levi is a viewer, sofia.admin an admin, and the others are editors. Users are u-48200 to u-48319.");
await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
