/** Decodes UTF-8 without its byte order mark. Throws for invalid bytes. */
export const utf8Text = (bytes: Uint8Array): string => new TextDecoder("utf-8", { fatal: true }).decode(bytes);
