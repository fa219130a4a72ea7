import { OFREPWebProvider } from "@openfeature/ofrep-web-provider";
import { ClientProviderEvents, OpenFeature } from "@openfeature/web-sdk";

const provider = new OFREPWebProvider({ baseUrl: location.origin, cacheMode: "network-first" });
const client = OpenFeature.getClient();

/** Shows each known feature, and whether it is on. */
function show() {
  const items = Object.keys(provider.flagCache).map((key) => {
    const item = document.createElement("li");
    item.textContent = `${key} is ${client.getBooleanValue(key, false) ? "on" : "off"}`;
    return item;
  });
  document.querySelector("ul").replaceChildren(...items);
}

client.addHandler(ClientProviderEvents.ConfigurationChanged, show);
await OpenFeature.setProviderAndWait(provider);
show();
// After an interruption, version 0.4.3 of the provider may receive new flags without an event. This asks nobody.
setInterval(show, 1_000);
