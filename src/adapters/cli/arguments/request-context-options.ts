import type { Command } from "commander";
import { explicitContext, type RequestContext } from "../../../application/evaluation/identify-caller.ts";
import type { Attributes } from "../../attributes.ts";
import { UsageError } from "../usage-error.ts";

/** Command options that set the request context, besides the caller. */
export type RequestContextOptions = { location?: string; ip?: string; clientId?: string; attribute?: string[] };

/** Adds the options of the caller and of the request context to a command. */
export const withRequestContext = (command: Command): Command =>
  command
    .option("--user <ID>", "for this user (default: for everyone)")
    .option("--token", "for the user of the token on standard input")
    .option("--location <NAME>", "at this location, such as es/madrid")
    .option("--ip <ADDRESS>", "from this address")
    .option("--client-id <ID>", "with this client id, the targeting key of rollouts without a user")
    .option("--attribute <NAME=VALUE...>", "with these attributes, which the configuration declares");

/**
 * The request context in the options. Throws `UsageError` for an attribute without a value, and `InvalidContext` as
 * `Attributes` does.
 */
export const requestContextOf = (
  { location, ip, clientId, attribute = [] }: RequestContextOptions,
  attributes: Attributes,
): RequestContext => {
  const texts = attribute.map((text) => {
    const equals = text.indexOf("=");
    if (equals < 1) throw new UsageError(`invalid --attribute ${text} (expected NAME=VALUE, for example country=ES)`);
    return [text.slice(0, equals), text.slice(equals + 1)] as const;
  });
  return explicitContext({
    location,
    ip,
    clientId,
    ...(texts.length > 0 ? { attributes: attributes.named(texts) } : {}),
  });
};
