import { Check, CircleAlert, RotateCcw, Undo2 } from "lucide-react";
import { useState } from "react";
import { once } from "../api/once.ts";
import { Button } from "../ui/button.tsx";
import { Dialog, DialogButtons } from "../ui/dialog.tsx";
import { ErrorNote } from "../ui/error-note.tsx";
import { count } from "../ui/numbers.ts";
import type { BulkItem } from "./bulk.ts";

/** A bulk change that was made. */
export type BulkRun = {
  readonly name: string;
  readonly items: readonly BulkItem[];
  /** Takes the changes back; absent if they cannot be. */
  readonly undo?: (keys: readonly string[]) => Promise<readonly BulkItem[]>;
  readonly retry?: (keys: readonly string[]) => Promise<void>;
};

const outcomes = { changed: "Changed", unchanged: "No change", skipped: "Skipped", refused: "Refused" };
/** The most features that are named. */
const maxNamed = 100;
const order = { refused: 0, skipped: 1, changed: 2, unchanged: 3 };

/** What happened to each feature of a bulk change; those that were refused or skipped come first. */
export function BulkResult({
  run: { name, items, undo, retry },
  onUndone,
  onClose,
}: {
  readonly run: BulkRun;
  readonly onUndone: (items: readonly BulkItem[]) => void;
  readonly onClose: () => void;
}) {
  const [error, setError] = useState<unknown>();
  const keysOf = (outcome: BulkItem["outcome"]) =>
    items.filter((item) => item.outcome === outcome).map(({ key }) => key);
  const [changed, refused, unchanged] = [keysOf("changed"), keysOf("refused"), keysOf("unchanged")];
  const skipped = keysOf("skipped").length;
  return (
    <Dialog title={`${name}: ${count(changed.length)} of ${count(items.length)} changed`} width={600} onClose={onClose}>
      <p className="dim small" role="status">
        {unchanged.length > 0 && `${count(unchanged.length)} ${unchanged.length === 1 ? "was" : "were"} so already. `}
        {skipped > 0 && `${count(skipped)} ${skipped === 1 ? "is killed and was" : "are killed and were"} skipped. `}
        {refused.length > 0 &&
          `${count(refused.length)} ${refused.length === 1 ? "was refused; nothing about it" : "were refused; nothing about them"} changed.`}
      </p>
      <ul className="bulk-list">
        {items
          .toSorted((one, other) => order[one.outcome] - order[other.outcome])
          .slice(0, maxNamed)
          .map(({ key, outcome, text }) => (
            <li key={key} className={outcome}>
              {outcome === "refused" || outcome === "skipped" ? (
                <CircleAlert size={16} aria-hidden />
              ) : (
                <Check size={16} aria-hidden />
              )}
              <div className="column grow">
                <span className="small strong ellipsis">{key}</span>
                <span className="tiny dim">{text}</span>
              </div>
              <span className="tiny strong bulk-list-outcome">{outcomes[outcome]}</span>
            </li>
          ))}
        {items.length > maxNamed && <li className="small dim">and {count(items.length - maxNamed)} more</li>}
      </ul>
      {error !== undefined && <ErrorNote error={error} />}
      <DialogButtons>
        {undo && changed.length > 0 && (
          <Button look="ghost" isChange onClick={() => void once("bulk", () => undo(changed).then(onUndone, setError))}>
            <Undo2 size={14} aria-hidden />
            Undo the {changed.length === 1 ? "change" : `${count(changed.length)} changes`}
          </Button>
        )}
        {retry && refused.length > 0 && (
          <Button isChange onClick={() => void once("bulk", () => retry(refused))}>
            <RotateCcw size={14} aria-hidden />
            Retry the {count(refused.length)}
          </Button>
        )}
        <Button look="primary" data-autofocus onClick={onClose}>
          Done
        </Button>
      </DialogButtons>
    </Dialog>
  );
}
