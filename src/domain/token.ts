const syntax = /^[A-Za-z0-9._~+/-]{1,512}=*$/;

/** The longest token, in characters. */
export const longestToken = 512;

/**
 * Whether a text may be a token: RFC 6750's `b64token`, at most 512 characters.
 * Nothing else is ever looked up, so no token can name a key of another shape.
 */
export const isToken = (text: string): boolean => text.length <= longestToken && syntax.test(text);
