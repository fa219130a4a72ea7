// A server that evaluates a feature for the user of each request.
import { createServer } from "node:http";
import { startUnleash } from "unleash-client";

const { UNLEASH_URL = "http://localhost:5000/api/", TIDEGATE_CREDENTIAL = "", PORT = "8080" } = process.env;

const client = await startUnleash({
  url: UNLEASH_URL,
  appName: "example",
  customHeaders: { Authorization: TIDEGATE_CREDENTIAL },
  refreshInterval: 1_000,
});
// While Tidegate restarts, the SDK keeps its features and asks again.
client.on("error", ({ message }) => console.error(message));

const server = createServer(({ url = "/" }, response) => {
  const userId = decodeURIComponent(url.slice(1));
  response.end(`chat is ${client.isEnabled("chat", { userId }) ? "on" : "off"} for ${userId || "everyone"}\n`);
});
server.listen(Number(PORT), "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`));
