import { bodyOf, v1 } from "../api/client.ts";
import { hasStatus } from "../api/problem.ts";

/** A text of this shape may be a token, and must not become a part of a URL. */
const tokenShape = /^[\w.~+/-]{20,}=*$/;
/** A feature that no source has: an explanation of it is short. */
const noFeature = "tidegate.look-up";

/**
 * The user of a text: of a token, or the id itself. A text that looks like a token is sent in a body first. Returns
 * `undefined` if it looks like one and is unknown.
 */
export async function userIn(text: string): Promise<string | undefined> {
  if (!tokenShape.test(text)) return text;
  try {
    const { user } = await bodyOf(v1.explain.$post({ json: { token: text, features: [noFeature] } }));
    return user ?? undefined;
  } catch (error) {
    if (hasStatus(error, 422)) return undefined;
    throw error;
  }
}
