import "./dialog.css";
import { X } from "lucide-react";
import { type ReactNode, useEffect, useId, useRef } from "react";
import { IconButton } from "./button.tsx";

/**
 * A modal dialog on the native element: it traps the focus, closes on Escape and returns the focus. Give the first
 * control `autoFocus`. Mount it to open it.
 */
export function Dialog({
  title,
  children,
  onClose,
  width = 560,
  isDrawer = false,
}: {
  readonly title: ReactNode;
  readonly children: ReactNode;
  /** Absent: the dialog cannot be dismissed. */
  readonly onClose?: (() => void) | undefined;
  readonly width?: number;
  /** At the right edge, over the whole height. */
  readonly isDrawer?: boolean;
}) {
  const element = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    const dialog = element.current;
    const before = document.activeElement;
    if (!dialog?.open) dialog?.showModal();
    dialog?.querySelector<HTMLElement>("[data-autofocus]")?.focus();
    return () => {
      dialog?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes it by keyboard
    <dialog
      ref={element}
      className={isDrawer ? "dialog drawer" : "dialog"}
      style={{ width }}
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault();
        onClose?.();
      }}
      onClick={(event) => {
        if (event.target === element.current) onClose?.();
      }}
    >
      <div className="dialog-content">
        <header>
          <h2 id={titleId} className="grow">
            {title}
          </h2>
          {onClose && (
            <IconButton label="Close" onClick={onClose}>
              <X size={18} aria-hidden />
            </IconButton>
          )}
        </header>
        {children}
      </div>
    </dialog>
  );
}

/** The buttons at the end of a dialog; `hint` is at their left. */
export const DialogButtons = ({ hint, children }: { readonly hint?: ReactNode; readonly children: ReactNode }) => (
  <div className="dialog-buttons">
    <span className="tiny dim grow">{hint}</span>
    {children}
  </div>
);
