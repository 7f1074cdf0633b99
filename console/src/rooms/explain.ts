import type { Schemas } from "../api/client";
import type { Language } from "../i18n";

export type Course = Schemas["Course"];
export type Explanation = Schemas["Explanation"];

/** What a matter waited for: its conditions, and those of its zone as a whole. */
export interface Matter {
  zone: string;
  /** empty: the zone as a whole */
  subject: string;
  courses: Course[];
  /** the matter that the closing sentence is about, or that became the event */
  named: boolean;
}

const YES = { zh: ["否", "是"], en: ["no", "yes"] } as const;

/** A value as people read it: 12 s, 85 %, yes. */
export function amount(value: number, unit: Course["unit"], language: Language): string {
  if (unit === "yes") return YES[language][value > 0 ? 1 : 0];
  const number = unit === "%" ? value * 100 : value;
  const digits = unit === "%" || Number.isInteger(number) ? 0 : Math.abs(number) >= 10 ? 1 : 2;
  const text = number.toFixed(digits);
  if (unit === "%") return `${text} %`;
  return unit === "s" ? `${text} ${language === "zh" ? "秒" : "s"}` : text;
}

/** The limit of a condition: ≥ 30 s, ≤ 3, no. */
export function limit(course: Course, language: Language): string {
  const text = amount(course.needed, course.unit, language);
  return course.unit === "yes" ? text : `${course.at_least ? "≥" : "≤"} ${text}`;
}

/** Matters in the order in which they are worth reading: the one that is spoken of first, then the longest. */
export function mattersOf(found: Explanation): Matter[] {
  const matters = new Map<string, Matter>();
  const spoken = found.verdict.failure;
  const opened = found.steps.filter((step) => step.event === found.verdict.event);
  for (const course of found.courses) {
    const key = `${course.zone}\n${course.subject}`;
    const named = [...opened, ...(spoken ? [spoken] : [])].some(
      (one) => one.zone === course.zone && one.subject === course.subject,
    );
    const known = matters.get(key);
    if (known) known.courses.push(course);
    else matters.set(key, { zone: course.zone, subject: course.subject, courses: [course], named });
  }
  const length = (matter: Matter) =>
    Math.max(...matter.courses.flatMap((one) => one.spans.map((span) => span.until - span.since)));
  return [...matters.values()].sort((a, b) => Number(b.named) - Number(a.named) || length(b) - length(a));
}

const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400];

/** Round moments for the axis, about eight. */
export function ticks(since: number, until: number): number[] {
  const step = STEPS.find((one) => (until - since) / one <= 8) ?? 21_600;
  const first = Math.ceil(since / step) * step;
  return Array.from({ length: Math.floor((until - first) / step) + 1 }, (_, i) => first + i * step);
}
