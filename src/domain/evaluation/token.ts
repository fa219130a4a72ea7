/** Maximum length of a token, in UTF-16 code units. */
export const maxTokenLength = 512;
// U+FFFD replaces invalid bytes: different byte sequences would become the same token.
const unusable = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\uFFFD]/u;

/**
 * Whether a text is a valid token: 1 to 512 characters, no control characters or line breaks, no white space at either
 * end. Other texts are not looked up. A token may contain colons, so its key prefix must be used for tokens only.
 */
export const isToken = (text: string): boolean =>
  text !== "" && text.length <= maxTokenLength && text.trim() === text && !unusable.test(text);

/** {@link isToken} in words. */
export const tokenGrammar = `1 to ${maxTokenLength} characters without control characters, and no white space at either end`;

/** Whether a token may follow `Bearer`: RFC 6750's `b64token`. */
export const isBearerToken = (text: string): boolean => /^[A-Za-z0-9._~+/-]+=*$/.test(text);
