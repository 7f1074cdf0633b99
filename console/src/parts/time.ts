import type { Language, Texts } from "../i18n";

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** 7 → 07 */
export const two = (n: number) => String(n).padStart(2, "0");

/** s since 1970 UTC as the reader's local time; the year only where it is not this one. */
export function formatTime(utc: number, language: Language, withSeconds = true): string {
  const date = new Date(utc * 1000);
  const sameYear = date.getFullYear() === new Date().getFullYear();
  const year = sameYear ? "" : date.getFullYear();
  const day =
    language === "zh"
      ? `${sameYear ? "" : `${year}-`}${two(date.getMonth() + 1)}-${two(date.getDate())}`
      : `${date.getDate()} ${MONTHS[date.getMonth()]}${sameYear ? "" : ` ${year}`}`;
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}`;
  return `${day} ${clock}${withSeconds ? `:${two(date.getSeconds())}` : ""}`;
}

/** s since 1970 UTC as the reader's time of day, with seconds. */
export function formatClock(utc: number): string {
  const date = new Date(utc * 1000);
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** A length of time in the two units that matter: 187 → 3 分 7 秒. */
export function formatDuration(seconds: number, t: Texts["t"]): string {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} ${t("unit.s")}`;
  const pair = (big: number, bigUnit: string, small: number, smallUnit: string) =>
    small ? `${big} ${bigUnit} ${small} ${smallUnit}` : `${big} ${bigUnit}`;
  if (s < 3600) return pair(Math.floor(s / 60), t("unit.min"), s % 60, t("unit.s"));
  if (s < 86_400) return pair(Math.floor(s / 3600), t("unit.h"), Math.floor((s % 3600) / 60), t("unit.min"));
  return pair(Math.floor(s / 86_400), t("unit.d"), Math.floor((s % 86_400) / 3600), t("unit.h"));
}

/** Hours with one digit below ten, whole above. */
export function formatHours(hours: number): string {
  if (hours > 0 && hours < 0.05) return "<0.1";
  return hours < 10 ? hours.toFixed(1) : String(Math.round(hours));
}

/** s since 1970 UTC as an `<input type="datetime-local">` has it, by the reader's clock. */
export function toField(utc: number, withSeconds = false): string {
  const date = new Date(utc * 1000);
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}`;
  return `${day}T${clock}${withSeconds ? `:${two(date.getSeconds())}` : ""}`;
}

/** The inverse; null where nothing sensible is written. */
export function fromField(text: string): number | null {
  const ms = new Date(text).getTime();
  return Number.isFinite(ms) ? ms / 1000 : null;
}
