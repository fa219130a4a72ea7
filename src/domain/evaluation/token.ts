/** The longest token, in UTF-16 code units. */
export const longestToken = 512;
// U+FFFD stands for bytes that were no text: different ones would be the same token.
const unusable = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\uFFFD]/u;

/**
 * Whether a text may be a token: 1 to 512 characters, without control characters or line breaks, and without white space at its
 * ends. Nothing else is looked up. It may hold colons, so all keys that begin as a token's does are for tokens alone.
 */
export const isToken = (text: string): boolean =>
  text !== "" && text.length <= longestToken && text.trim() === text && !unusable.test(text);

/** {@link isToken} in words. */
export const tokenGrammar = `1 to ${longestToken} characters without control characters, and no white space at either end`;

/** Whether a token may follow `Bearer`: RFC 6750's `b64token`. */
export const isBearerToken = (text: string): boolean => /^[A-Za-z0-9._~+/-]+=*$/.test(text);
