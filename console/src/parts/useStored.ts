import { useState } from "react";

/** State that survives a reload of the page in this browser. */
export function useStored<T>(name: string, initial: T): [T, (value: T) => void] {
  const key = `cityvision.${name}`;
  const [value, setValue] = useState<T>(() => {
    const text = window.localStorage.getItem(key);
    if (text === null) return initial;
    try {
      const stored = JSON.parse(text) as T;
      return typeof stored === typeof initial ? stored : initial;
    } catch {
      return initial;
    }
  });
  const store = (next: T) => {
    window.localStorage.setItem(key, JSON.stringify(next));
    setValue(next);
  };
  return [value, store];
}
