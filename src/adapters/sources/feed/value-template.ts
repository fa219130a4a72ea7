import { type Part, type Path, parsePath, scalarsAt } from "./path.ts";

/** A text with paths in braces, as in `event_{../id}`. */
export type ValueTemplate = readonly (string | Path)[];

/** Reads a template. Answers what is wrong with another text. */
export function parseTemplate(text: string): ValueTemplate | string {
  const template: (string | Path)[] = [];
  for (const [index, piece] of text.split(/\{([^{}]*)\}/).entries()) {
    if (index % 2 === 0) {
      if (/[{}]/.test(piece)) return "has a brace without its other; a path stands in braces, as in event_{id}";
      if (piece !== "") template.push(piece);
      continue;
    }
    const path = parsePath(piece);
    if (typeof path === "string") return `names "${piece}", which ${path}`;
    template.push(path);
  }
  return template;
}

/** The text that a template makes of a part, with the first of what each path leads to; `undefined` where one leads to nothing. */
export function fillTemplate(template: ValueTemplate, part: Part): string | undefined {
  let text = "";
  for (const piece of template) {
    const value = typeof piece === "string" ? piece : scalarsAt(part, piece).next().value;
    if (value === undefined) return undefined;
    text += value;
  }
  return text;
}
