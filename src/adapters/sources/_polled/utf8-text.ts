/** Decodes UTF-8 without its byte order mark. Throws for invalid bytes. */
export function utf8Text(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new Error("it is not UTF-8 (save it in UTF-8)");
  }
}
