import { OFREPWebProvider } from "@openfeature/ofrep-web-provider";
import { OpenFeature, OpenFeatureProvider, useBooleanFlagValue } from "@openfeature/react-sdk";
import { createRoot } from "react-dom/client";

OpenFeature.setProvider(new OFREPWebProvider({ baseUrl: location.origin, cacheMode: "network-first" }));

function Menu() {
  const isNew = useBooleanFlagValue("new_menu", false);
  return <p>{isNew ? "The new menu" : "The old menu"}</p>;
}

createRoot(document.querySelector("main")).render(
  <OpenFeatureProvider suspend fallback={<p>Loading</p>}>
    <Menu />
  </OpenFeatureProvider>,
);
