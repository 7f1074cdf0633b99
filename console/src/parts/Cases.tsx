import { Tag } from "antd";
import { useEffect, useState } from "react";
import { useCaseBook } from "../api/cases";
import type { Case } from "../api/client";
import { useTexts } from "../i18n";
import { formatDuration } from "./time";

const COLOURS: Record<string, string> = {
  accepted: "default",
  filed: "processing",
  dispatched: "warning",
  handling: "warning",
  reported: "processing",
  verifying: "processing",
  suspended: "default",
  closed: "success",
  rated: "success",
  void: "default",
};

/** What a department is called. The dispatch centre may be none of the pool's: then by what it is. */
export function useDepartmentName(): (id: string) => string {
  const { t } = useTexts();
  const book = useCaseBook().data;
  return (id) => book?.departments[id] ?? (id === book?.centre ? t("cases.centre") : id || "–");
}

/** What a category of cases is called, by its code. */
export function useCategoryName(): (code: string) => string {
  const { language } = useTexts();
  const book = useCaseBook().data;
  return (code) => book?.categories.find((one) => one.code === code)?.name[language] ?? code;
}

export function CaseStatus({ status }: { status: string }) {
  const { word } = useTexts();
  return <Tag color={COLOURS[status] ?? "default"}>{word("case.status", status)}</Tag>;
}

/** Which clock runs and how much is left of it, by the wall clock; late in red. Nothing at the end. */
export function CaseClock({ clock }: { clock: Case["state"]["clock"] }) {
  const { t, word } = useTexts();
  const now = useNow(1000);
  if (!clock) return null;
  const left = clock.due_utc - now;
  return (
    <span className="number nowrap" data-testid="case-clock" data-late={left < 0}>
      <span className="dim">{word("case.clock", clock.name)} </span>
      <span style={{ color: left < 0 ? "var(--bad)" : left < 600 ? "var(--warn)" : undefined }}>
        {t(left < 0 ? "cases.clock.late" : "cases.clock.left", { time: formatDuration(Math.abs(left), t) })}
      </span>
    </span>
  );
}

/** s since 1970 UTC, told anew every so many ms. */
export function useNow(every: number): number {
  const [now, setNow] = useState(() => Date.now() / 1000);
  useEffect(() => {
    const timer = window.setInterval(() => setNow(Date.now() / 1000), every);
    return () => window.clearInterval(timer);
  }, [every]);
  return now;
}
