import type { Schemas } from "../api/client";
import { two } from "./time";

export type Hours = Schemas["Hours"];
type Span = [number, number];

/** Days of the week (0: Monday) from one time of day to another, "HH:MM"; what ends no later than it begins goes over midnight. */
export interface Rule {
  days: number[];
  from: string;
  to: string;
}

const DAY_MIN = 1440;
/** What a calendar goes by where nobody says otherwise, as the server has it. */
export const USUAL_ZONE = "Asia/Shanghai";

const minute = (clock: string) => {
  const [hour = 0, minutes = 0] = clock.split(":").map(Number);
  return hour * 60 + minutes;
};

/** Spans in order, those that touch made one. */
function merged(spans: Span[]): Span[] {
  const found: Span[] = [];
  for (const [from, to] of [...spans].sort((a, b) => a[0] - b[0])) {
    const last = found.at(-1);
    if (last && from <= last[1]) last[1] = Math.max(last[1], to);
    else found.push([from, to]);
  }
  return found;
}

/** The week that the rules say; a night is a span of either day. */
export function weekOf(rules: Rule[]): Span[][] {
  const week: Span[][] = Array.from({ length: 7 }, () => []);
  for (const { days, from, to } of rules) {
    const [begin, end] = [minute(from), minute(to)];
    for (const day of days) {
      week[day]?.push([begin, begin < end ? end : DAY_MIN]);
      if (end <= begin && end > 0) week[(day + 1) % 7]?.push([0, end]);
    }
  }
  return week.map(merged);
}

/** Rules that say this week: a span that ends at midnight goes on into the next day's first where it ends before it began. */
export function rulesOf(week: readonly Span[][]): Rule[] {
  const day = (at: number) => week[(at + 7) % 7] ?? [];
  const overNight = (at: number): number | null => {
    const [evening, morning] = [day(at).at(-1), day(at + 1)[0]];
    const apart = evening && morning && evening[1] === DAY_MIN && morning[0] === 0;
    return apart && morning[1] <= evening[0] && morning[1] < DAY_MIN ? morning[1] : null;
  };
  const found = new Map<string, Rule>();
  week.forEach((spans, at) => {
    for (const span of spans) {
      if (span[0] === 0 && span === day(at)[0] && overNight(at - 1) !== null) continue;
      const next = span === spans.at(-1) ? overNight(at) : null;
      const [from, to] = [clock(span[0]), clock((next ?? span[1]) % DAY_MIN)];
      const same = found.get(from + to);
      if (same) same.days.push(at);
      else found.set(from + to, { days: [at], from, to });
    }
  });
  return [...found.values()];
}

/** Days with the same spans together, those without any left out. */
export function sameDays(week: readonly Span[][]): { days: number[]; spans: Span[] }[] {
  const found = new Map<string, { days: number[]; spans: Span[] }>();
  week.forEach((spans, day) => {
    if (spans.length === 0) return;
    const key = JSON.stringify(spans);
    const same = found.get(key);
    if (same) same.days.push(day);
    else found.set(key, { days: [day], spans });
  });
  return [...found.values()];
}

/** Days in runs: [0, 1, 2, 5] → [[0, 2], [5, 5]]. */
export function runs(days: readonly number[]): Span[] {
  const found: Span[] = [];
  for (const day of [...days].sort((a, b) => a - b)) {
    const last = found.at(-1);
    if (last && day === last[1] + 1) last[1] = day;
    else found.push([day, day]);
  }
  return found;
}

export const clock = (at: number) => `${two(Math.floor(at / 60))}:${two(at % 60)}`;
