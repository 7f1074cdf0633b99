import type { Language } from "../i18n";

interface NumberText {
  zh: string;
  en: string;
  unit?: { zh: string; en: string };
  digits?: number;
  percent?: boolean;
  /** 1 is yes, 0 is no */
  yes?: boolean;
}

const YES = { zh: ["否", "是"], en: ["no", "yes"] } as const;
const SECONDS = { zh: "秒", en: "s" };
const PEOPLE = { zh: "人", en: "people" };

/** Names and units of the numbers that the rules explain themselves with. */
const KNOWN: Record<string, NumberText> = {
  still_s: { zh: "静止时长", en: "Still for", unit: SECONDS, digits: 0 },
  moved_body_lengths: { zh: "位移（车身长）", en: "Moved, body lengths", digits: 2 },
  looks_share: { zh: "查看中可见", en: "Seen in looks", percent: true },
  in_zone_share: { zh: "在区域内比例", en: "Inside the zone", percent: true },
  neighbours_stopped: { zh: "周围停止车辆", en: "Stopped vehicles around" },
  queue_share: { zh: "处于排队比例", en: "Time in a queue", percent: true },
  vehicles_passed: { zh: "驶过车辆", en: "Vehicles that passed" },
  hidden_s: { zh: "被遮挡", en: "Hidden for", unit: SECONDS },
  unwatched_s: { zh: "未监看", en: "Not watched for", unit: SECONDS },
  seen_since_start: { zh: "开始观测时已在", en: "There when watching began", yes: true },
  people: { zh: "人数", en: "People", unit: PEOPLE },
  peak: { zh: "峰值", en: "Peak", digits: 1 },
  limit: { zh: "上限", en: "Limit", digits: 1 },
  limit_density: { zh: "密度上限（人/㎡）", en: "Limit, people/m²", digits: 2 },
  density: { zh: "密度（人/㎡）", en: "Density, people/m²", digits: 2 },
  share: { zh: "占区域比例", en: "Share of the zone", percent: true },
  standing_share: { zh: "持续积水比例", en: "Under water most of the time", percent: true },
  peak_share: { zh: "最高占比", en: "Highest share", percent: true },
  limit_share: { zh: "上限占比", en: "Limit, share", percent: true },
  growth_per_min: { zh: "每分钟变化", en: "Change a minute", percent: true },
  depth_cm: { zh: "水深至少（厘米）", en: "Depth at least, cm", digits: 0 },
  depth_class: {
    zh: "水深等级（0 无 1 踝 2 路缘 3 膝）",
    en: "Depth: 0 none, 1 ankle, 2 kerb, 3 knee",
    digits: 0,
  },
  reference: { zh: "干燥时误判占比（已扣除）", en: "Looks wet when dry, taken off", percent: true },
  certainty: { zh: "稳定程度", en: "Steadiness", percent: true },
  visible_share: { zh: "可见占比", en: "Share in sight", percent: true },
  density_peak: { zh: "最密处密度（人/㎡）", en: "Densest place, people/m²", digits: 2 },
  density_low: { zh: "密度估计下限（人/㎡）", en: "Estimated density, at least (people/m²)", digits: 2 },
  density_high: { zh: "密度估计上限（人/㎡）", en: "Estimated density, at most (people/m²)", digits: 2 },
  area_m2: { zh: "面积（㎡）", en: "Area, m²", digits: 1 },
  lasting_s: { zh: "持续时长", en: "Lasting", unit: SECONDS, digits: 0 },
  crowded_share: { zh: "拥挤时间比例", en: "Time crowded", percent: true },
  litter: { zh: "是垃圾的概率", en: "Probability of litter", percent: true },
  overflowing: { zh: "满溢的概率", en: "Probability of overflow", percent: true },
  pieces: { zh: "件数", en: "Pieces", digits: 0 },
  lying_s: { zh: "已存在", en: "Lying for", unit: SECONDS, digits: 0 },
  unattended_s: { zh: "无人看管", en: "Unattended for", unit: SECONDS, digits: 0 },
  seen_share: { zh: "应见时可见", en: "Seen when looked for", percent: true },
  width_m: { zh: "宽度（米）", en: "Width, m", digits: 1 },
  size_body_heights: { zh: "大小（身高）", en: "Size, body heights", digits: 2 },
  brightness: { zh: "亮度（0–255）", en: "Brightness, 0–255", digits: 0 },
  contrast: { zh: "对比度（0–255）", en: "Contrast, 0–255", digits: 0 },
  detail: { zh: "细节", en: "Detail", digits: 0 },
  usual_detail: { zh: "平时细节", en: "Usual detail", digits: 0 },
  likeness: { zh: "原场景仍在原处", en: "Of the scene where it was", percent: true },
  shift_x: { zh: "横向偏移（占宽度）", en: "Shift right, of the width", percent: true },
  shift_y: { zh: "纵向偏移（占宽度）", en: "Shift down, of the width", percent: true },
  fixtures: { zh: "不计的固定人形", en: "Fixtures not counted" },
};

/** One number with its name and unit; an unknown key is shown as it is. */
export function describeNumber(
  key: string,
  value: number,
  language: Language,
): { name: string; value: string } {
  const known = KNOWN[key];
  const name = known ? known[language] : key.replaceAll("_", " ");
  if (known?.yes) return { name, value: YES[language][value ? 1 : 0] };
  if (known?.percent) return { name, value: `${Math.round(value * 100)} %` };
  const digits = Number.isInteger(value) ? 0 : (known?.digits ?? (Math.abs(value) < 10 ? 2 : 1));
  const unit = known?.unit ? ` ${known.unit[language]}` : "";
  return { name, value: `${value.toFixed(digits)}${unit}` };
}

/** A share or probability, 0..1, in per cent; null: unknown. */
export function formatShare(value: number | null): string {
  return value === null ? "–" : `${Math.round(value * 100)} %`;
}

const ORDER = Object.keys(KNOWN);

/** The numbers in the order in which they tell the story; what is not known here comes last. */
export function inOrder(numbers: Record<string, number>): [string, number][] {
  const place = (key: string) => (key in KNOWN ? ORDER.indexOf(key) : ORDER.length);
  return Object.entries(numbers).sort(([a], [b]) => place(a) - place(b));
}
