import "./rule-dialog.css";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useDeferredValue, useState } from "react";
import { bodyOf, v1 } from "../api/client.ts";
import { hasStatus, type Problem } from "../api/problem.ts";
import { useSources } from "../api/sources.ts";
import { type Feature, refreshFeature } from "../features/feature-list.ts";
import { Button } from "../ui/button.tsx";
import { Dialog, DialogButtons } from "../ui/dialog.tsx";
import { ErrorNote } from "../ui/error-note.tsx";
import { Field } from "../ui/field.tsx";
import { toast } from "../ui/toasts.tsx";
import { RulePreview } from "./rule-preview.tsx";
import { SchedulePreview } from "./schedule-preview.tsx";
import { ShareField } from "./share-field.tsx";
import { newWindow, WindowsField } from "./windows-field.tsx";

const examples: Readonly<Record<string, unknown>> = {
  percentage: { percentage: 10 },
  schedule: { windows: [newWindow()] },
  flagd: { state: "ENABLED", variants: { on: true, off: false }, defaultVariant: "on" },
};

/**
 * Edits the rule of a feature in a source: a share by a slider, a schedule by its windows, and every rule as the JSON that the API takes. A dry run
 * checks it while it is typed, names each fault, and tells who would gain or lose the feature.
 */
export default function RuleDialog({
  feature: { feature, on },
  source,
  onClose,
}: {
  readonly feature: Feature;
  readonly source: string;
  readonly onClose: () => void;
}) {
  const client = useQueryClient();
  const kind = useSources()?.find(({ name }) => name === source)?.kind ?? "";
  const place = on[source];
  const before = typeof place === "object" && "rule" in place ? place.rule : undefined;
  const [text, setText] = useState(() => JSON.stringify(before ?? examples[kind] ?? {}, null, 2));
  const [note, setNote] = useState("");
  const parsed = parse(text);
  const checked = useDeferredValue(text);
  const param = { source: encodeURIComponent(source), feature: encodeURIComponent(feature) };
  const route = v1.sources[":source"].rules[":feature"];
  const trial = useQuery({
    queryKey: ["feature", feature, "trial", source, checked],
    queryFn: () => bodyOf(route.$put({ param, query: { dryRun: "true" }, json: JSON.parse(checked) })),
    enabled: parse(checked).fault === undefined,
    retry: false,
  });
  const refresh = async () => {
    await client.invalidateQueries({ queryKey: ["feature", feature] });
    await refreshFeature(client, feature);
  };
  const put = (rule: unknown) => bodyOf(route.$put({ param, query: note ? { note } : {}, json: rule as never }));
  const remove = () => bodyOf(route.$delete({ param, query: note ? { note } : {} }));
  const save = useMutation({
    mutationFn: () => put(parsed.value),
    onSuccess: async () => {
      await refresh();
      toast(`${source} of ${feature} saved.`, async () => {
        await (before === undefined ? remove() : put(before));
        await refresh();
      });
      onClose();
    },
  });
  const drop = useMutation({
    mutationFn: remove,
    onSuccess: async () => {
      await refresh();
      toast(`${source} of ${feature} removed.`, async () => {
        await put(before);
        await refresh();
      });
      onClose();
    },
  });
  const faults = faultsIn(parsed.fault, save.error ?? trial.error);
  return (
    <Dialog title={`${source} of ${feature}`} width={620} onClose={onClose}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate();
        }}
      >
        {kind === "percentage" && (
          <ShareField rule={parsed.value} onChange={(rule) => setText(JSON.stringify(rule, null, 2))} />
        )}
        {kind === "schedule" && (
          <WindowsField rule={parsed.value} onChange={(rule) => setText(JSON.stringify(rule, null, 2))} />
        )}
        {kind === "schedule" && trial.isSuccess && faults.length === 0 && (
          <SchedulePreview feature={feature} source={source} rule={JSON.parse(checked)} />
        )}
        <div className="field">
          <label htmlFor="rule-text">
            Rule <span className="dim">as JSON</span>
          </label>
          <textarea
            id="rule-text"
            className="input mono rule-text"
            rows={Math.min(18, Math.max(5, text.split("\n").length + 1))}
            spellCheck={false}
            aria-invalid={faults.length > 0}
            aria-describedby="rule-faults"
            value={text}
            onChange={({ currentTarget }) => setText(currentTarget.value)}
          />
          <ul id="rule-faults" className="rule-faults" aria-live="polite">
            {faults.map(({ pointer, detail }) => (
              <li key={pointer + detail} className="field-error">
                {pointer && <span className="mono">{pointer}</span>} {detail}
              </li>
            ))}
          </ul>
        </div>
        {trial.data && faults.length === 0 && <RulePreview trial={trial.data} />}
        <Field
          label="Reason"
          hint="(optional, shown in the event log)"
          maxLength={500}
          value={note}
          onChange={({ currentTarget }) => setNote(currentTarget.value)}
        />
        {drop.error && <ErrorNote error={drop.error} />}
        {save.error && !hasStatus(save.error, 422) && <ErrorNote error={save.error} />}
        <DialogButtons
          hint={
            before !== undefined && (
              <Button look="danger-outline" isCompact disabled={drop.isPending} onClick={() => drop.mutate()}>
                Remove the rule
              </Button>
            )
          }
        >
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" type="submit" disabled={faults.length > 0 || save.isPending}>
            Apply
          </Button>
        </DialogButtons>
      </form>
    </Dialog>
  );
}

type Parsed = { readonly value?: unknown; readonly fault?: string };

function parse(text: string): Parsed {
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    return { fault: error instanceof Error ? error.message : String(error) };
  }
}

function faultsIn(syntax: string | undefined, error: unknown): Problem["errors"] {
  if (syntax !== undefined) return [{ pointer: "", detail: syntax }];
  if (!hasStatus(error, 422, 400)) return [];
  return error.errors.length > 0 ? error.errors : [{ pointer: "", detail: error.message }];
}
