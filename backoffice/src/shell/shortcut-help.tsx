import { Checkbox } from "@mantine/core";
import { useShortcutSetting } from "../keyboard/shortcuts.ts";
import { Dialog } from "../ui/dialog.tsx";
import "./shortcut-help.css";

const shortcuts = [
  ["Ctrl K", "Search, or run a command"],
  ["/", "Filter the list"],
  ["j, k", "Next, previous row"],
  ["Enter", "Open the row"],
  ["x", "Select the row"],
  ["e", "Switch the row on or off for everyone"],
  ["Shift K", "Kill the feature of the row"],
  ["u", "Undo the last change"],
  ["g f", "Features"],
  ["g p", "People"],
  ["g e", "Events"],
  ["g s", "System"],
  ["Esc", "Close, or clear the selection"],
  ["?", "This list"],
] as const;

/** The keyboard shortcuts, and a way to turn off those of a single key. */
export default function ShortcutHelp({ onClose }: { readonly onClose: () => void }) {
  const [areOn, setOn] = useShortcutSetting();
  return (
    <Dialog title="Keyboard shortcuts" width={440} onClose={onClose}>
      <dl className="shortcut-help">
        {shortcuts.map(([keys, does]) => (
          <div key={keys}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <Checkbox
        label="Use shortcuts of a single key"
        checked={areOn}
        onChange={(event) => setOn(event.currentTarget.checked)}
      />
    </Dialog>
  );
}
