import "./menu.css";
import { type KeyboardEvent, type ReactNode, useId, useRef } from "react";

/** A choice of a menu. */
export type MenuItem = {
  readonly name: ReactNode;
  readonly icon?: ReactNode;
  readonly isSelected?: boolean;
  readonly isDangerous?: boolean;
  readonly onChoose: () => void;
};

/** A menu below its button, on the native popover: Escape and a click elsewhere close it, and the arrow keys move. */
export function Menu({
  button,
  label,
  className = "button",
  items,
}: {
  readonly button: ReactNode;
  /** The name of the button, if its content is only an icon. */
  readonly label?: string | undefined;
  readonly className?: string;
  readonly items: readonly MenuItem[];
}) {
  const id = useId();
  const opener = useRef<HTMLButtonElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const move = (event: KeyboardEvent) => {
    const steps: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowUp: -1 };
    const choices = [...(list.current?.querySelectorAll<HTMLElement>("[role^=menuitem]") ?? [])];
    const step = steps[event.key];
    if (step === undefined || choices.length === 0) return;
    event.preventDefault();
    const current = choices.indexOf(document.activeElement as HTMLElement);
    choices.at((current + step) % choices.length)?.focus();
  };
  const place = () => {
    const [anchor, menu] = [opener.current?.getBoundingClientRect(), list.current];
    if (!anchor || !menu) return;
    const { offsetWidth: width, offsetHeight: height } = menu;
    const isBelow = anchor.bottom + 4 + height < innerHeight || anchor.top < height;
    menu.style.left = `${Math.max(8, Math.min(anchor.left, innerWidth - width - 8))}px`;
    menu.style.top = `${isBelow ? anchor.bottom + 4 : anchor.top - 4 - height}px`;
    menu.querySelector<HTMLElement>("[role^=menuitem]")?.focus();
  };
  return (
    <>
      <button
        ref={opener}
        type="button"
        className={className}
        popoverTarget={id}
        aria-haspopup="menu"
        aria-label={label}
        title={label}
      >
        {button}
      </button>
      <div
        ref={list}
        id={id}
        popover="auto"
        role="menu"
        tabIndex={-1}
        className="menu"
        onKeyDown={move}
        onToggle={(event) => event.newState === "open" && place()}
      >
        {items.map(({ name, icon, isSelected, isDangerous, onChoose }, index) => (
          <button
            key={index}
            type="button"
            {...(isSelected === undefined
              ? { role: "menuitem" }
              : { role: "menuitemradio", "aria-checked": isSelected })}
            className={`menu-item ${isSelected ? "selected" : ""} ${isDangerous ? "dangerous" : ""}`}
            onClick={() => {
              list.current?.hidePopover();
              onChoose();
            }}
          >
            {icon}
            {name}
          </button>
        ))}
      </div>
    </>
  );
}
