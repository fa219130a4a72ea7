const widest = 96;

/** JSON data as readable YAML: short collections on one line, others one member a line. */
export const yamlText = (value: unknown): string => lines(value, "").join("\n");

function lines(value: unknown, indent: string): readonly string[] {
  if (Array.isArray(value)) {
    return value.flatMap((item) => {
      const inline = flow(item);
      if (fits(inline, indent) || !isCollection(item)) return [`${indent}- ${inline}`];
      const [first = "", ...rest] = lines(item, `${indent}  `);
      return [`${indent}- ${first.trimStart()}`, ...rest];
    });
  }
  return Object.entries(Object(value) as Readonly<Record<string, unknown>>).flatMap(([name, member]) => {
    const inline = flow(member);
    const isShort = fits(`${name}: ${inline}`, indent) && indent !== "";
    return isShort || !isCollection(member)
      ? [`${indent}${scalar(name)}: ${inline}`]
      : [`${indent}${scalar(name)}:`, ...lines(member, `${indent}  `)];
  });
}

const fits = (text: string, indent: string): boolean => indent.length + text.length <= widest;

const isCollection = (value: unknown): value is object =>
  typeof value === "object" && value !== null && Object.keys(value).length > 0;

function flow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(", ")}]`;
  if (typeof value !== "object" || value === null) return scalar(value);
  const members = Object.entries(value).map(([name, member]) => `${scalar(name)}: ${flow(member)}`);
  return members.length === 0 ? "{}" : `{ ${members.join(", ")} }`;
}

/** Text is quoted where it could be read as another value or as syntax. */
function scalar(value: unknown): string {
  if (typeof value !== "string") return String(value);
  const isPlain =
    /^[\w./$*<(][^#\n"[\]{},]*(\{[\w.]+\}[^#\n"[\]{},]*)*$/.test(value) &&
    !/: |:$|^\s|\s$/.test(value) &&
    !/^(true|false|null|~|[-+.\d][\d.e+-]*)$/i.test(value);
  return isPlain ? value : JSON.stringify(value);
}
