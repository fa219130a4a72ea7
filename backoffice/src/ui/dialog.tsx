import "./dialog.css";
import { X } from "lucide-react";
import { type ReactNode, useEffect, useId, useRef, useState } from "react";
import { useIsPaused } from "../live/connection.ts";
import { useLayer } from "../routing/layers.ts";
import { Button, IconButton } from "./button.tsx";
import { Shortened } from "./shortened.tsx";

/**
 * A modal dialog on the native element: it traps the focus, closes on Escape and the browser's Back, and returns the
 * focus. Once something was typed, these, a click outside and the cross ask before they discard it. Give the first
 * control `data-autofocus`. Mount it to open it.
 */
export function Dialog({
  title,
  children,
  onClose,
  width = 560,
  isDrawer = false,
  loss,
}: {
  readonly title: ReactNode;
  readonly children: ReactNode;
  /** Absent: the dialog cannot be dismissed. */
  readonly onClose?: (() => void) | undefined;
  readonly width?: number;
  /** At the right edge, over the whole height. */
  readonly isDrawer?: boolean;
  /** What closing would lose besides typed text, as a question that is asked first. */
  readonly loss?: string | undefined;
}) {
  const element = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  const isMounted = useRef(false);
  const isTyped = useRef(false);
  const [editing, setEditing] = useState<Element | null>(null);
  useEffect(() => {
    const dialog = element.current;
    const before = document.activeElement;
    isMounted.current = true;
    if (!dialog?.open) dialog?.showModal();
    dialog?.querySelector<HTMLElement>("[data-autofocus]")?.focus();
    return () => {
      isMounted.current = false;
      dialog?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  const dismiss = () => {
    if ((isTyped.current || loss) && onClose) setEditing(document.activeElement);
    else onClose?.();
  };
  useLayer(onClose && dismiss);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes it by keyboard
    <dialog
      ref={element}
      className={isDrawer ? "dialog drawer" : "dialog"}
      style={{ width }}
      aria-labelledby={titleId}
      onInput={() => {
        isTyped.current = true;
      }}
      onCancel={(event) => {
        event.preventDefault();
        if (editing) onClose?.();
        else dismiss();
      }}
      onClose={() => {
        // Browsers close it on a second Escape, even if the first one was handled.
        if (!isMounted.current) return;
        if (onClose) onClose();
        else element.current?.showModal();
      }}
      onClick={(event) => {
        if (event.target === element.current) dismiss();
      }}
    >
      <div className="dialog-content">
        <header>
          <h2 id={titleId} className="grow">
            {typeof title === "string" ? <Shortened text={title} /> : title}
          </h2>
          {onClose && (
            <IconButton label="Close" onClick={dismiss}>
              <X size={18} aria-hidden />
            </IconButton>
          )}
        </header>
        {children}
        {editing && onClose && (
          <Discard
            question={loss ?? "Discard what you typed?"}
            keep={loss ? "Keep open" : "Keep editing"}
            discard={loss ? "Close anyway" : "Discard"}
            onKeep={() => {
              setEditing(null);
              if (editing instanceof HTMLElement) editing.focus();
            }}
            onDiscard={onClose}
          />
        )}
      </div>
    </dialog>
  );
}

/** As a ref, it focuses a button once, when it appears. */
const focus = (button: HTMLButtonElement | null) => button?.focus();

const Discard = ({
  question,
  keep,
  discard,
  onKeep,
  onDiscard,
}: {
  readonly question: string;
  readonly keep: string;
  readonly discard: string;
  readonly onKeep: () => void;
  readonly onDiscard: () => void;
}) => (
  <div className="dialog-discard" role="alert">
    <span className="grow">{question}</span>
    <div className="row">
      <Button isCompact ref={focus} onClick={onKeep}>
        {keep}
      </Button>
      <Button isCompact look="danger-outline" onClick={onDiscard}>
        {discard}
      </Button>
    </div>
  </div>
);

/** The buttons at the end of a dialog; at their left is `hint`, or that changes are paused. */
export const DialogButtons = ({ hint, children }: { readonly hint?: ReactNode; readonly children: ReactNode }) => (
  <div className="dialog-buttons">
    <span className="tiny dim grow">
      {useIsPaused() ? <span role="status">Tidegate is out of reach. Changes are paused.</span> : hint}
    </span>
    {children}
  </div>
);
