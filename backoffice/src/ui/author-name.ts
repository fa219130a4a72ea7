/** Who made a change; "unknown" for an edit outside Tidegate. */
export const authorName = (by: string): string => (by === "external" ? "unknown" : by.replace(/^cli:/, ""));
