import { z } from "zod";

const noUrl = "is no URL that can be polled; write http://host/path or https://, without user and password";

function isUrl(text: string): boolean {
  try {
    const { protocol, username, password } = new URL(text);
    return /^https?:$/.test(protocol) && username + password === "";
  } catch {
    return false;
  }
}

/** A URL to poll, of http or https. */
export const polledUrl = z.string().refine(isUrl, noUrl);

/** What can be sent in a header. It may be a credential, so it is not repeated where it is wrong. */
export const headerText = z
  .string()
  .regex(/^[\x20-\x7e]+$/, "cannot be sent in a header; write printable ASCII characters");

/** Whether rules that may change are shown the address of who asks. */
export const readsAddress = z
  .boolean()
  .default(false)
  .describe("Whether the rules may go by the client's address. Each address has an answer of its own then.");

/** What is wrong with rules that go by an address which they are not shown. */
export const addressFault = "the rules go by the client's address, which they are not shown; set readsAddress to true";

/** For a map of options: that just one of these is given, since each says where the same comes from. */
export const oneOf =
  (...names: readonly string[]) =>
  (options: Readonly<Record<string, unknown>>, context: z.RefinementCtx): void => {
    const [, second] = names.filter((name) => options[name] !== undefined);
    const choice = `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
    if (second !== undefined)
      context.addIssue({ code: "custom", path: [second], message: `is one too many; give ${choice}` });
    else if (names.every((name) => options[name] === undefined))
      context.addIssue({ code: "custom", message: `has nothing to evaluate; give ${choice}` });
  };
