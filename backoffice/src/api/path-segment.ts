/**
 * A text as a segment of an API path. URLs have no segments `.` and `..`, also if they are encoded: the API takes them as
 * `~.` and `~..`.
 */
export const pathSegment = (text: string): string => encodeURIComponent(/^~*\.\.?$/.test(text) ? `~${text}` : text);
