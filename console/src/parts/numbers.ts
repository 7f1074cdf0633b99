import type { Language } from "../i18n";

interface NumberText {
  zh: string;
  en: string;
  unit?: { zh: string; en: string };
  digits?: number;
  percent?: boolean;
}

const SECONDS = { zh: "秒", en: "s" };
const PEOPLE = { zh: "人", en: "people" };

/** Names and units of the numbers that the rules explain themselves with. */
const KNOWN: Record<string, NumberText> = {
  still_s: { zh: "静止时长", en: "Still for", unit: SECONDS },
  dwell_s: { zh: "时限 T", en: "Limit T", unit: SECONDS },
  moved_body_lengths: { zh: "位移（车身长）", en: "Moved, body lengths", digits: 2 },
  seen_share: { zh: "可见比例", en: "Seen in looks", percent: true },
  seen: { zh: "可见比例", en: "Seen in looks", percent: true },
  people: { zh: "人数", en: "People", unit: PEOPLE },
  max_people: { zh: "上限", en: "Limit", unit: PEOPLE },
  limit: { zh: "上限", en: "Limit" },
  limit_people: { zh: "上限", en: "Limit", unit: PEOPLE },
  peak_people: { zh: "峰值人数", en: "Peak", unit: PEOPLE },
  density: { zh: "密度（人/㎡）", en: "Density, people/m²", digits: 2 },
  density_m2: { zh: "密度（人/㎡）", en: "Density, people/m²", digits: 2 },
  area_m2: { zh: "面积（㎡）", en: "Area, m²", digits: 1 },
  held_s: { zh: "持续时长", en: "Held for", unit: SECONDS },
  hold_s: { zh: "时限 T", en: "Limit T", unit: SECONDS },
  neighbours_still: { zh: "周围静止车辆", en: "Still vehicles around" },
  score: { zh: "置信度", en: "Score", digits: 2 },
};

/** One number with its name and unit; an unknown key is shown as it is. */
export function describeNumber(
  key: string,
  value: number,
  language: Language,
): { name: string; value: string } {
  const known = KNOWN[key];
  const name = known ? known[language] : key.replaceAll("_", " ");
  if (known?.percent) return { name, value: `${Math.round(value * 100)} %` };
  const digits = known?.digits ?? (Number.isInteger(value) ? 0 : Math.abs(value) < 10 ? 2 : 1);
  const unit = known?.unit ? ` ${known.unit[language]}` : "";
  return { name, value: `${value.toFixed(digits)}${unit}` };
}
