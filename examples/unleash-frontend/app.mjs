import { UnleashClient } from "unleash-proxy-client";

const client = new UnleashClient({
  url: process.env.UNLEASH_URL ?? "http://localhost:5000/api/frontend",
  clientKey: process.env.UNLEASH_CLIENT_KEY ?? "",
  appName: "example",
  refreshInterval: 1,
});

let shown;
function show() {
  const line = `new_menu is ${client.isEnabled("new_menu") ? "on" : "off"}`;
  if (line !== shown) console.log(line);
  shown = line;
}

client.on("update", show);
await client.start();
