import { useTexts } from "../i18n";
import { clock, type Hours, runs, sameDays, USUAL_ZONE } from "./calendar";

const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;

/** Monday to Sunday in the reader's language. */
export function useDayNames(): string[] {
  const { t } = useTexts();
  return DAYS.map((day) => t(`hours.day.${day}`));
}

/** A working calendar in words: 周一至周五 08:00–18:00 · 节假日除外 2 天. */
export function HoursText({ hours }: { hours: Hours | null | undefined }) {
  const { t } = useTexts();
  const names = useDayNames();
  if (!hours) return <>{t("hours.all")}</>;
  const parts = sameDays(hours.week as [number, number][][]).map(({ days, spans }) => {
    const when = runs(days).map(([from, to]) =>
      from === to ? names[from] : t("hours.run", { from: names[from] ?? "", to: names[to] ?? "" }),
    );
    const times = spans.map(([from, to]) => `${clock(from)}–${clock(to)}`);
    return `${when.join(t("hours.and"))} ${times.join(t("hours.and"))}`;
  });
  if (hours.holidays.length > 0) parts.push(t("hours.but", { n: hours.holidays.length }));
  if (hours.workdays.length > 0) parts.push(t("hours.also", { n: hours.workdays.length }));
  if (hours.zone !== USUAL_ZONE) parts.push(hours.zone);
  const dates = [...hours.holidays, ...hours.workdays.map((day) => `+${day}`)].join(" ");
  return <span title={dates || undefined}>{parts.join(" · ") || t("hours.none")}</span>;
}
