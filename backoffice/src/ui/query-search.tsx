import { useEffect, useRef, useState } from "react";
import { useShortcuts } from "../keyboard/shortcuts.ts";
import { setQuery } from "../routing/location.ts";
import { SearchField } from "./field.tsx";

/** Time without a keystroke until the text is in the URL, in milliseconds. */
const pauseMs = 200;

/** The search of a page, focused by `/`. Its text is the parameter `q` of the URL, where `value` comes from. */
export function QuerySearch({
  value,
  ...rest
}: {
  readonly value: string;
  readonly label: string;
  readonly placeholder?: string;
}) {
  const [text, setText] = useState(value);
  const field = useRef<HTMLInputElement>(null);
  const pause = useRef<ReturnType<typeof setTimeout>>(undefined);
  useShortcuts({ "/": () => field.current?.focus() });
  // The URL may change elsewhere, such as by "Clear filters": what is being typed is dropped then.
  useEffect(() => {
    setText(value);
    return () => clearTimeout(pause.current);
  }, [value]);
  const type = (typed: string) => {
    setText(typed);
    clearTimeout(pause.current);
    pause.current = setTimeout(() => setQuery({ q: typed }), pauseMs);
  };
  return (
    <SearchField
      {...rest}
      ref={field}
      shortcut="/"
      maxLength={200}
      value={text}
      onChange={({ currentTarget }) => type(currentTarget.value)}
      onKeyDown={({ key, currentTarget }) => key === "Escape" && currentTarget.blur()}
    />
  );
}
