import "./field.css";
import { Search } from "lucide-react";
import { type InputHTMLAttributes, type ReactNode, type Ref, useId } from "react";

/** A labelled text field. `error` is read with it. */
export function Field({
  label,
  hint,
  error,
  ref,
  ...rest
}: InputHTMLAttributes<HTMLInputElement> & {
  readonly label: ReactNode;
  readonly hint?: ReactNode;
  readonly error?: ReactNode;
  readonly ref?: Ref<HTMLInputElement>;
}) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>
        {label} {hint && <span className="dim">{hint}</span>}
      </label>
      <input
        ref={ref}
        id={id}
        className="input"
        aria-invalid={error ? true : undefined}
        aria-describedby={error ? `${id}-error` : undefined}
        {...rest}
      />
      {error && (
        <span id={`${id}-error`} role="alert" className="field-error">
          {error}
        </span>
      )}
    </div>
  );
}

/** A search field with its icon; `shortcut` shows the key that focuses it. */
export const SearchField = ({
  label,
  shortcut,
  ref,
  ...rest
}: InputHTMLAttributes<HTMLInputElement> & {
  readonly label: string;
  readonly shortcut?: string;
  readonly ref?: Ref<HTMLInputElement>;
}) => (
  <div className="search-field">
    <Search size={15} className="dim" aria-hidden />
    <input
      ref={ref}
      type="text"
      aria-label={label}
      placeholder={label}
      autoComplete="off"
      spellCheck={false}
      {...rest}
    />
    {shortcut && <kbd className="wide-only">{shortcut}</kbd>}
  </div>
);
