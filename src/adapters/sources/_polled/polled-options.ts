import { z } from "zod";

const noUrl = "invalid URL (expected http://host/path or https://host/path, without user and password)";

function isUrl(text: string): boolean {
  try {
    const { protocol, username, password } = new URL(text);
    return /^https?:$/.test(protocol) && username + password === "";
  } catch {
    return false;
  }
}

/** Schema of a URL to poll: http or https. */
export const polledUrl = z.string().refine(isUrl, noUrl);

/** Schema of a header value. Faults do not repeat the value, because it can be a credential. */
export const headerText = z
  .string()
  .regex(/^[\x20-\x7e]+$/, "invalid header value (expected printable ASCII characters)");

/** Whether the rules may read the client's address. */
export const readsAddress = z
  .boolean()
  .default(false)
  .describe("Whether rules may read the client's address. Responses are then cached per address.");

/** The fault of rules that depend on the client's address without `readsAddress`. */
export const addressFault = "the rules read the client's address (set readsAddress: true)";

/** Requires exactly one of these options, because each one names the source of the same data. */
export const oneOf =
  (...names: readonly string[]) =>
  (options: Readonly<Record<string, unknown>>, context: z.RefinementCtx): void => {
    const [, second] = names.filter((name) => options[name] !== undefined);
    const choice = `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
    if (second !== undefined)
      context.addIssue({ code: "custom", path: [second], message: `too many sources of rules (expected ${choice})` });
    else if (names.every((name) => options[name] === undefined))
      context.addIssue({ code: "custom", message: `no rules (expected ${choice})` });
  };
