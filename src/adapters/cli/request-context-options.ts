import type { Command } from "commander";
import { explicitContext, type RequestContext } from "../../application/evaluation/identify-caller.ts";
import { ChangeRejected } from "../../domain/errors.ts";
import type { Attributes } from "../attributes.ts";

/** Command options that set the request context. */
export type RequestContextOptions = { location?: string; ip?: string; clientId?: string; attribute?: string[] };

/** Adds the options of the request context to a command. */
export const withRequestContext = (command: Command): Command =>
  command
    .option("--location <name>", "at this location")
    .option("--ip <address>", "from this address")
    .option("--client-id <id>", "with this id, which percentages count where there is no user")
    .option("--attribute <name=value...>", "with these attributes, which the configuration declares");

/**
 * The request context in the options. Throws `ChangeRejected` for an attribute without a value, and `InvalidContext` as
 * `Attributes` does.
 */
export const requestContextOf = (
  { location, ip, clientId, attribute = [] }: RequestContextOptions,
  attributes: Attributes,
): RequestContext => {
  const texts = attribute.map((text) => {
    const equals = text.indexOf("=");
    if (equals < 1) throw new ChangeRejected(`--attribute ${text} has no value; write one, as in country=ES`);
    return [text.slice(0, equals), text.slice(equals + 1)] as const;
  });
  return explicitContext({
    location,
    ip,
    clientId,
    ...(texts.length > 0 ? { attributes: attributes.named(texts) } : {}),
  });
};
