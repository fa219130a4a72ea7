import { type Part, type Path, parsePath, scalarsAt } from "./path.ts";

/** A text with paths in braces, such as `event_{../id}`. */
export type ValueTemplate = readonly (string | Path)[];

/** Parses a template. Returns the fault of an invalid one. */
export function parseTemplate(text: string): ValueTemplate | string {
  const template: (string | Path)[] = [];
  for (const [index, piece] of text.split(/\{([^{}]*)\}/).entries()) {
    if (index % 2 === 0) {
      if (/[{}]/.test(piece)) return "has an unmatched brace; write a path as {id}, for example event_{id}";
      if (piece !== "") template.push(piece);
      continue;
    }
    const path = parsePath(piece);
    if (typeof path === "string") return `has the path "${piece}": ${path}`;
    template.push(path);
  }
  return template;
}

/** Fills in a template from a part, with the first value of each path; `undefined` if a path has no value. */
export function fillTemplate(template: ValueTemplate, part: Part): string | undefined {
  let text = "";
  for (const piece of template) {
    const value = typeof piece === "string" ? piece : scalarsAt(part, piece).next().value;
    if (value === undefined) return undefined;
    text += value;
  }
  return text;
}
