import type { Terminal } from "./terminal.ts";

/** An item of a list: as JSON, and as the cells of a line of text. */
export type Row = { readonly json: unknown; readonly cells: readonly string[] };

/** Results of a command on standard output: text for people, or with `--json` one JSON document per line. */
export class Results {
  readonly #terminal: Terminal;
  readonly #isJson: () => boolean;

  constructor(terminal: Terminal, isJson: () => boolean) {
    this.#terminal = terminal;
    this.#isJson = isJson;
  }

  /** Prints a result: its JSON on one line, or lines of text. */
  print(json: unknown, ...lines: readonly string[]): void {
    for (const line of this.#isJson() ? [JSON.stringify(json)] : lines) this.#terminal.print(line);
  }

  /** Prints a list: the JSON of each item on its own line, or aligned columns under a header. */
  printRows(header: readonly string[] | undefined, rows: readonly Row[]): void {
    const lines = aligned([...(header ? [header] : []), ...rows.map(({ cells }) => cells)]);
    if (header && !this.#isJson()) this.#terminal.print(lines.shift() ?? "");
    for (const [index, { json }] of rows.entries()) this.print(json, lines.at(index - rows.length) ?? "");
  }
}

function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = rows.reduce<readonly number[]>(
    (max, cells) => cells.map((cell, at) => Math.max(cell.length, max[at] ?? 0)),
    [],
  );
  return rows.map((cells) =>
    cells
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
