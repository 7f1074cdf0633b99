import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from "react";
import { en } from "./en";
import { type TextKey, zh } from "./zh";

export type Language = "zh" | "en";
export type { TextKey } from "./zh";

const STORED = "cityvision.language";
const TEXTS: Record<Language, Record<TextKey, string>> = { zh, en };

export function translate(
  language: Language,
  key: TextKey,
  values?: Record<string, string | number>,
): string {
  const text = TEXTS[language][key];
  if (!values) return text;
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

export interface Texts {
  language: Language;
  setLanguage: (language: Language) => void;
  t: (key: TextKey, values?: Record<string, string | number>) => string;
  /** A text for an id that comes from the server; the id itself where it is not known here. */
  word: (prefix: string, id: string) => string;
}

const Context = createContext<Texts | null>(null);

function storedLanguage(): Language {
  return window.localStorage.getItem(STORED) === "en" ? "en" : "zh";
}

export function TextsProvider({ children }: { children: ReactNode }) {
  const [language, setLanguage] = useState<Language>(storedLanguage);
  useEffect(() => {
    window.localStorage.setItem(STORED, language);
    document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  }, [language]);
  const texts = useMemo<Texts>(
    () => ({
      language,
      setLanguage,
      t: (key, values) => translate(language, key, values),
      word: (prefix, id) => {
        const key = `${prefix}.${id}`;
        return key in zh ? translate(language, key as TextKey) : id;
      },
    }),
    [language],
  );
  return <Context.Provider value={texts}>{children}</Context.Provider>;
}

export function useTexts(): Texts {
  const texts = useContext(Context);
  if (!texts) throw new Error("useTexts outside TextsProvider");
  return texts;
}
