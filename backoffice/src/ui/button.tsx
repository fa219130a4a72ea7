import "./button.css";
import type { ButtonHTMLAttributes, ReactNode } from "react";

type ButtonLook = "primary" | "danger" | "danger-outline" | "ghost";

/** A button with a text. Type `button`, so that it submits no form by accident. */
export const Button = ({
  look,
  isCompact = false,
  className = "",
  ...rest
}: ButtonHTMLAttributes<HTMLButtonElement> & { readonly look?: ButtonLook; readonly isCompact?: boolean }) => (
  <button type="button" className={`button ${look ?? ""} ${isCompact ? "compact" : ""} ${className}`} {...rest} />
);

/** A button with an icon only; `label` names it for screen readers and on hover. */
export const IconButton = ({
  label,
  children,
  className = "",
  ...rest
}: ButtonHTMLAttributes<HTMLButtonElement> & { readonly label: string; readonly children: ReactNode }) => (
  <button type="button" className={`icon-button ${className}`} aria-label={label} title={label} {...rest}>
    {children}
  </button>
);
