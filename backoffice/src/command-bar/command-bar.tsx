import "./command-bar.css";
import { useMantineColorScheme } from "@mantine/core";
import { type KeyboardEvent, useEffect, useId, useRef, useState } from "react";
import { useIsEditor, useSignIn } from "../api/session.ts";
import { useLayer } from "../routing/layers.ts";
import { useChoices } from "./choices.tsx";

/** The command bar: go to a feature or a user, or run a command, by typing. */
export default function CommandBar({
  onClose,
  onShowShortcuts,
}: {
  readonly onClose: () => void;
  readonly onShowShortcuts: () => void;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  const [text, setText] = useState("");
  const [position, setPosition] = useState(0);
  const { setColorScheme } = useMantineColorScheme();
  const { signOut } = useSignIn();
  const choices = useChoices(text, {
    isEditor: useIsEditor(),
    setColorScheme,
    showShortcuts: onShowShortcuts,
    signOut: () => void signOut(),
  });
  const chosen = Math.min(position, choices.length - 1);

  useEffect(() => {
    const before = document.activeElement;
    const element = dialog.current;
    if (!element?.open) element?.showModal();
    return () => {
      element?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  useEffect(() => {
    document.getElementById(`${id}-${chosen}`)?.scrollIntoView({ block: "nearest" });
  }, [id, chosen]);

  useLayer(onClose);

  const run = (index: number) => {
    const choice = choices[index];
    if (!choice) return;
    onClose();
    choice.run();
  };
  const press = (event: KeyboardEvent) => {
    const steps: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowUp: -1 };
    const step = steps[event.key];
    if (step !== undefined && choices.length > 0) setPosition((chosen + step + choices.length) % choices.length);
    else if (event.key === "Enter" && !event.nativeEvent.isComposing) run(chosen);
    else return;
    event.preventDefault();
  };
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes it by keyboard
    <dialog
      ref={dialog}
      className="dialog command-bar"
      aria-label="Command bar"
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === dialog.current) onClose();
      }}
    >
      <input
        role="combobox"
        aria-expanded="true"
        aria-controls={`${id}-list`}
        aria-activedescendant={choices.length > 0 ? `${id}-${chosen}` : undefined}
        aria-label="Search features and users, or type a command"
        placeholder="Search features and users, or type a command"
        autoComplete="off"
        spellCheck={false}
        value={text}
        onChange={({ currentTarget }) => {
          setText(currentTarget.value);
          setPosition(0);
        }}
        onKeyDown={press}
      />
      <div id={`${id}-list`} role="listbox" aria-label="Results" className="command-bar-list">
        {choices.map((choice, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the field takes the keys
          // biome-ignore lint/a11y/useFocusableInteractive: the field keeps the focus, and names the choice
          <div
            key={choice.id}
            id={`${id}-${index}`}
            role="option"
            aria-selected={index === chosen}
            className="command-bar-choice"
            onPointerMove={() => setPosition(index)}
            onClick={() => run(index)}
          >
            {choice.icon}
            <span className="grow ellipsis strong">{choice.name}</span>
            <span className="tiny dim nowrap">{choice.hint}</span>
          </div>
        ))}
        {choices.length === 0 && <p className="command-bar-none dim small">Nothing matches.</p>}
      </div>
      <div className="command-bar-foot tiny dim wide-only" aria-hidden="true">
        <span>
          <kbd>↑</kbd> <kbd>↓</kbd> choose
        </span>
        <span>
          <kbd>Enter</kbd> open
        </span>
        <span>
          <kbd>Esc</kbd> close
        </span>
        <span className="push">
          Type <kbd>@</kbd> for users, <kbd>&gt;</kbd> for commands
        </span>
      </div>
    </dialog>
  );
}
