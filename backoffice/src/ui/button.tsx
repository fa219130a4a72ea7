import "./button.css";
import type { ComponentProps, ReactNode } from "react";
import { useIsPaused } from "../live/connection.ts";

type ButtonLook = "primary" | "danger" | "danger-outline" | "ghost";
type ButtonProps = ComponentProps<"button"> & {
  /** Whether it changes something, or leads to a change: disabled while the connection is lost. */
  readonly isChange?: boolean;
};

/** Whether a control is disabled, because it changes something and the connection is lost. */
const usePause = (isChange: boolean): boolean => useIsPaused() && isChange;

/** A button with a text. Type `button`, so that it submits no form by accident. */
export const Button = ({
  look,
  isCompact = false,
  isChange = false,
  disabled = false,
  className = "",
  ...rest
}: ButtonProps & { readonly look?: ButtonLook; readonly isCompact?: boolean }) => (
  <button
    type="button"
    className={`button ${look ?? ""} ${isCompact ? "compact" : ""} ${className}`}
    disabled={usePause(isChange) || disabled}
    {...rest}
  />
);

/** A button with an icon only; `label` names it for screen readers and on hover. */
export const IconButton = ({
  label,
  children,
  isChange = false,
  disabled = false,
  className = "",
  ...rest
}: ButtonProps & { readonly label: string; readonly children: ReactNode }) => (
  <button
    type="button"
    className={`icon-button ${className}`}
    aria-label={label}
    title={label}
    disabled={usePause(isChange) || disabled}
    {...rest}
  >
    {children}
  </button>
);
