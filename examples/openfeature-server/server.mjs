// A server that evaluates a flag for the user of each request.
import { createServer } from "node:http";
import { OFREPProvider } from "@openfeature/ofrep-provider";
import { OpenFeature } from "@openfeature/server-sdk";

const { TIDEGATE_URL = "http://localhost:5000", TIDEGATE_CREDENTIAL = "", PORT = "8080" } = process.env;

await OpenFeature.setProviderAndWait(
  new OFREPProvider({ baseUrl: TIDEGATE_URL, headers: [["Authorization", `Bearer ${TIDEGATE_CREDENTIAL}`]] }),
);
const client = OpenFeature.getClient();

const server = createServer(async ({ url = "/" }, response) => {
  const user = decodeURIComponent(url.slice(1));
  const details = await client.getBooleanDetails("feature_3", false, user === "" ? {} : { targetingKey: user });
  const text = details.errorCode ? `unknown (${details.errorCode})` : details.value ? "on" : "off";
  response.end(`feature_3 is ${text} for ${user || "everyone"}\n`);
});
server.listen(Number(PORT), "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`));
