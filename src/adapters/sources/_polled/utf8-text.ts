/** The text of bytes in UTF-8, without a byte order mark. Throws for other bytes. */
export const utf8Text = (bytes: Uint8Array): string => new TextDecoder("utf-8", { fatal: true }).decode(bytes);
