import "./rule-dialog.css";
import { useQuery } from "@tanstack/react-query";
import { useDeferredValue, useState } from "react";
import { bodyOf, v1 } from "../api/client.ts";
import { pathSegment } from "../api/path-segment.ts";
import { hasStatus, type Problem } from "../api/problem.ts";
import type { Source } from "../api/sources.ts";
import { Button } from "../ui/button.tsx";
import { Dialog, DialogButtons } from "../ui/dialog.tsx";
import { ErrorNote } from "../ui/error-note.tsx";
import { Field } from "../ui/field.tsx";
import { ConflictNote } from "./document/conflict-note.tsx";
import { type Revised, ruleDocument } from "./document/feature-document.ts";
import { OpenedDocument } from "./document/opened-document.tsx";
import { useDocumentChange } from "./document/use-document-change.ts";
import { RulePreview } from "./rule-preview.tsx";
import { SchedulePreview } from "./schedule-preview.tsx";
import { ShareField } from "./share-field.tsx";
import { newWindow, WindowsField, windowPointer } from "./windows-field.tsx";

const examples: Readonly<Record<string, unknown>> = {
  percentage: { percentage: 10 },
  schedule: { windows: [newWindow()] },
  flagd: { state: "ENABLED", variants: { on: true, off: false }, defaultVariant: "on" },
};

/**
 * Edits the rule of a feature in a source: a share by a slider, a schedule by its windows, and every rule as the JSON that the API takes. A dry run
 * checks it while it is typed, names each fault, and tells who would gain or lose the feature.
 */
export function RuleDialog(given: RuleDialogProps) {
  const { feature, source, onClose } = given;
  return (
    <OpenedDocument document={ruleDocument(source, feature)} title={nameOf(given)} onClose={onClose}>
      {(opened) => <RuleEditor {...given} opened={opened} />}
    </OpenedDocument>
  );
}

const nameOf = ({ source: { name }, feature }: RuleDialogProps): string =>
  `${name.charAt(0).toUpperCase()}${name.slice(1)} of ${feature}`;

type RuleDialogProps = { readonly feature: string; readonly source: Source; readonly onClose: () => void };

function RuleEditor({ opened, ...given }: RuleDialogProps & { readonly opened: Revised<unknown> }) {
  const { feature, source, onClose } = given;
  const { name, kind } = source;
  const document = ruleDocument(source, feature);
  const before = opened.value;
  const [text, setText] = useState(() => JSON.stringify(before ?? examples[kind] ?? {}, null, 2));
  const [note, setNote] = useState("");
  const parsed = parse(text);
  const checked = useDeferredValue(text);
  const param = { source: pathSegment(name), feature: pathSegment(feature) };
  const route = v1.sources[":source"].rules[":feature"];
  const trial = useQuery({
    queryKey: ["feature", feature, "trial", name, checked],
    queryFn: () => bodyOf(route.$put({ param, query: { dryRun: "true" }, json: JSON.parse(checked) })),
    enabled: parse(checked).fault === undefined,
    retry: false,
  });
  const save = useDocumentChange(document, {
    name: nameOf(given),
    detailOf: (rule) => kind === "percentage" && `${(rule as { readonly percentage: number }).percentage} %`,
    onDone: onClose,
  });
  const hasControls = kind === "percentage" || kind === "schedule";
  const faults = faultsIn(parsed.fault, save.error ?? trial.error);
  const faultOfShare = faults.find(({ pointer }) => pointer === "/percentage");
  const hasWindows = kind === "schedule" && Array.isArray(Object(parsed.value).windows);
  /** Whether no field shows a fault. */
  const isUnplaced = (fault: Problem["errors"][number]) =>
    !(kind === "percentage" ? fault === faultOfShare : hasWindows && windowPointer.test(fault.pointer));
  return (
    <Dialog title={nameOf(given)} width={620} onClose={onClose}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate({ value: parsed.value, note, opened });
        }}
      >
        {kind === "percentage" && (
          <ShareField
            rule={parsed.value}
            error={faultOfShare && `Share of callers ${faultOfShare.detail}.`}
            onChange={(rule) => setText(JSON.stringify(rule, null, 2))}
          />
        )}
        {kind === "schedule" && (
          <WindowsField
            rule={parsed.value}
            faults={faults}
            onChange={(rule) => setText(JSON.stringify(rule, null, 2))}
          />
        )}
        {kind === "schedule" && trial.isSuccess && faults.length === 0 && (
          <SchedulePreview feature={feature} source={name} rule={JSON.parse(checked)} />
        )}
        <ul id="rule-faults" className="rule-faults" aria-live="polite">
          {faults.filter(isUnplaced).map(({ pointer, detail }) => (
            <li key={pointer + detail} className="field-error">
              {pointer && <span className="mono">{pointer}</span>} {detail}
            </li>
          ))}
        </ul>
        <details className="rule-json" open={!hasControls}>
          <summary>
            Rule <span className="dim">as JSON</span>
          </summary>
          <textarea
            aria-label="Rule as JSON"
            data-autofocus={hasControls ? undefined : true}
            className="input mono rule-text"
            rows={Math.min(18, Math.max(5, text.split("\n").length + 1))}
            spellCheck={false}
            aria-invalid={faults.length > 0}
            aria-describedby="rule-faults"
            value={text}
            onChange={({ currentTarget }) => setText(currentTarget.value)}
          />
        </details>
        {trial.data && faults.length === 0 && <RulePreview trial={trial.data} rule={JSON.parse(checked)} />}
        <Field
          label="Reason"
          hint="(optional, shown in the event log)"
          maxLength={500}
          value={note}
          onChange={({ currentTarget }) => setNote(currentTarget.value)}
        />
        {hasStatus(save.error, 412) ? (
          <ConflictNote
            document={document}
            opened={before}
            onApply={(present) => save.mutate({ ...save.variables, value: save.variables?.value, opened: present })}
          />
        ) : (
          save.error && !hasStatus(save.error, 422) && <ErrorNote error={save.error} />
        )}
        <DialogButtons
          hint={
            before !== undefined && (
              <Button
                look="danger-outline"
                isCompact
                isChange
                disabled={save.isPending}
                onClick={() => save.mutate({ value: undefined, note, opened })}
              >
                Remove the rule
              </Button>
            )
          }
        >
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" type="submit" isChange disabled={faults.length > 0 || save.isPending}>
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
