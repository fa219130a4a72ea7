import { type FormEvent, useState } from "react";
import { setQuery } from "../routing/location.ts";
import { Button } from "../ui/button.tsx";
import { Dialog, DialogButtons } from "../ui/dialog.tsx";
import { Field } from "../ui/field.tsx";
import { attributeValue, contextQuery, type PersonContext } from "./person-context.ts";

/** Edits the location and the attributes of an evaluation. They are in the URL, and change nothing. */
export function ContextDialog({ context, onClose }: { readonly context: PersonContext; readonly onClose: () => void }) {
  const [location, setLocation] = useState(context.location ?? "");
  const [text, setText] = useState(
    Object.entries(context.attributes)
      .map(([name, value]) => `${name}=${value}`)
      .join("\n"),
  );
  const [fault, setFault] = useState<string>();
  const apply = (event: FormEvent) => {
    event.preventDefault();
    const lines = text.split("\n").filter((line) => line.trim() !== "");
    const wrong = lines.find((line) => !/^\s*[^=\s]+\s*=/.test(line));
    if (wrong !== undefined) return setFault(`“${wrong.trim()}” is no attribute (expected name=value).`);
    const attributes = lines.map((line) => {
      const split = line.indexOf("=");
      return [line.slice(0, split).trim(), attributeValue(line.slice(split + 1).trim())] as const;
    });
    setQuery(contextQuery(context, location.trim(), Object.fromEntries(attributes)));
    onClose();
  };
  return (
    <Dialog title="Context of the evaluation" width={440} onClose={onClose}>
      <form className="stack" onSubmit={apply}>
        <Field
          label="Location"
          hint="such as es/madrid"
          data-autofocus
          value={location}
          onChange={({ currentTarget }) => setLocation(currentTarget.value)}
        />
        <div className="field">
          <label htmlFor="context-attributes">
            Attributes <span className="dim">one name=value on each line</span>
          </label>
          <textarea
            id="context-attributes"
            className="input mono"
            rows={4}
            spellCheck={false}
            aria-invalid={fault !== undefined}
            value={text}
            onChange={({ currentTarget }) => {
              setText(currentTarget.value);
              setFault(undefined);
            }}
          />
          {fault && (
            <span className="field-error" role="alert">
              {fault}
            </span>
          )}
        </div>
        <DialogButtons>
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" type="submit">
            Evaluate
          </Button>
        </DialogButtons>
      </form>
    </Dialog>
  );
}
