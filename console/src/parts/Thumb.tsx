import { useState } from "react";
import { useTexts } from "../i18n";

/** A small picture of an event; says so where there is none. */
export function Thumb({ src, alt }: { src: string | null | undefined; alt: string }) {
  const { t } = useTexts();
  const [broken, setBroken] = useState<string | null>(null);
  if (!src || broken === src) return <div className="thumb">{t("events.nopicture")}</div>;
  return <img className="thumb" src={src} alt={alt} loading="lazy" onError={() => setBroken(src)} />;
}
