import { isPair, isScalar, parseDocument, visit } from "yaml";
import type { Json } from "../../domain/evaluation/feature.ts";
import { yamlOptions, yamlValues } from "../../infrastructure/yaml-values.ts";

/** Names of options whose values are secret, unless they name a file. */
const secretName = /authorization|token|secret|password|passwd|pepper|credential|cookie|api-?key/i;
const fileName = /file$/i;
/** A variable with its default, which may be a secret too. */
const withDefault = /(\$\{[A-Za-z_][A-Za-z0-9_]*):-(?:[^{}]|\$\{[^{}]*\})*\}/g;
const hidden = "***";

/**
 * A configuration as it is written, without secrets. Variables are not filled in, so a secret in a variable is its
 * `${NAME}`. A secret in the text is `***`: the password and the query of a URL, values of headers, and options whose
 * names say so.
 */
export function redacted(text: string): Json {
  const document = parseDocument(text, yamlOptions);
  visit(document, {
    Scalar: (role, node, ancestors) => {
      if (role === "key" || typeof node.value !== "string") return;
      const names = ancestors.flatMap((each) => (isPair(each) && isScalar(each.key) ? [String(each.key.value)] : []));
      node.value = redactedValue(node.value, names.at(-1) ?? "", names.includes("headers"));
    },
  });
  return (yamlValues(document) ?? null) as Json;
}

function redactedValue(value: string, name: string, isHeader: boolean): string {
  if (isHeader || (secretName.test(name) && !fileName.test(name))) {
    const variables = value.replaceAll(withDefault, "$1}").match(/\$\{[A-Za-z_][A-Za-z0-9_]*\}/g);
    return variables?.join(" ") ?? hidden;
  }
  if (!value.includes("://")) return value;
  return value
    .replaceAll(withDefault, "$1}")
    .replace(/:\/\/([^/?#]*)@/, (_, user: string) => `://${user.split(":")[0] ?? ""}:${hidden}@`)
    .replace(/[?#].*$/, `?${hidden}`);
}
