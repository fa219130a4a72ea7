import type { Flag } from "../../../domain/evaluation/flag.ts";
import type { Toggle } from "./unleash-schemas.ts";

type Payload = NonNullable<Toggle["variant"]["payload"]>;

/** A feature that is on, as the frontend API of Unleash has it. */
export function toggleJson({ key, value, variant, metadata }: Flag): Toggle {
  const payload = (metadata?.["payload"] as Payload | undefined) ?? payloadOf(value);
  return {
    name: key,
    enabled: true,
    variant:
      variant === undefined && payload === undefined
        ? { name: "disabled", enabled: false, feature_enabled: true }
        : { name: variant ?? "default", enabled: true, feature_enabled: true, ...(payload && { payload }) },
    impressionData: metadata?.["impressionData"] === true,
  };
}

/** The payload for a value. A boolean has none: the variant's name suffices. */
function payloadOf(value: Flag["value"]): Payload | undefined {
  switch (typeof value) {
    case "string":
      return { type: "string", value };
    case "number":
      return { type: "number", value: `${value}` };
    case "object":
      return { type: "json", value: JSON.stringify(value) };
    default:
      return undefined;
  }
}
