import type { EditableSources, SetName } from "../../../application/admin/editable-sources.ts";
import { ChangeRejected } from "../../../domain/errors.ts";
import { keyFields } from "../../../domain/evaluation/key-template.ts";
import { UsageError } from "../usage-error.ts";

/** Options that select one set: of a source with a set per user or location, or of a key in two connections. */
export type SetOptions = { readonly user?: string; readonly location?: string; readonly connection?: string };

/** A field of the context in words, and the option that sets it. */
const fields = { userId: ["user", "--user"], location: ["location", "--location"] } as const;

/**
 * The set that a command names: by the name of a source with its context, or by its key. Throws `UsageError` if the
 * options do not select exactly one set, and `ChangeRejected` if the name is neither a source nor a key.
 */
export function setNameIn(name: string, { user, location, connection }: SetOptions, sources: EditableSources): SetName {
  const source = sources.sources.find((each) => each.name === name);
  const context = { ...(user !== undefined && { userId: user }), ...(location !== undefined && { location }) };
  const hasContext = Object.keys(context).length > 0;
  const isKey = sources.hasSet(name);
  if (!source && !isKey) throw unknownName(name, sources);
  if (isKey && (!source || connection !== undefined)) {
    if (!hasContext) return { key: name, connection };
    throw new UsageError(`"${name}" is the key of one set (omit --user and --location)`);
  }
  if (connection !== undefined) throw new UsageError(`"${name}" is a source, not a key (omit --connection)`);
  const { key } = sources.setsOf(name);
  if (isKey && !hasContext && key.text !== name) {
    throw new UsageError(
      `"${name}" is both a source and the key of another set (for the key, add --connection; for the source, name its key ${key.text})`,
    );
  }
  for (const field of keyFields) {
    const isNeeded = key.fields.includes(field);
    if (isNeeded === (context[field] !== undefined)) continue;
    const [word, option] = fields[field];
    throw new UsageError(
      isNeeded
        ? `source "${name}" has one set for each ${word} (add ${option})`
        : `source "${name}" has no set for each ${word} (omit ${option})`,
    );
  }
  return { source: name, context };
}

/** The error of a key that no source reads, with the names of the sources added. */
function unknownName(name: string, sources: EditableSources): unknown {
  try {
    return sources.findSet({ key: name });
  } catch (error) {
    if (!(error instanceof ChangeRejected)) return error;
    return new ChangeRejected(
      `${error.message} The sources are: ${sources.sources.map((each) => each.name).join(", ")}.`,
    );
  }
}
