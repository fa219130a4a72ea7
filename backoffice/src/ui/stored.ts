import { useState } from "react";

/** A choice that stays in this browser. */
export function useStored(name: string, fallback: string): readonly [string, (value: string) => void] {
  const [value, setValue] = useState(() => localStorage.getItem(name) ?? fallback);
  return [
    value,
    (next) => {
      localStorage.setItem(name, next);
      setValue(next);
    },
  ];
}
