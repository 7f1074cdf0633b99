import type { Texts } from "../i18n";

export interface Place {
  lat: number;
  lon: number;
}

const EARTH_M = 6_371_000;

/** How far apart two places are as the crow flies, m. */
export function distance(a: Place, b: Place): number {
  const rad = Math.PI / 180;
  const h =
    Math.sin(((b.lat - a.lat) * rad) / 2) ** 2 +
    Math.cos(a.lat * rad) * Math.cos(b.lat * rad) * Math.sin(((b.lon - a.lon) * rad) / 2) ** 2;
  return 2 * EARTH_M * Math.asin(Math.min(1, Math.sqrt(h)));
}

/** m, to what a browser's position is good for: tens of metres, then a tenth of a kilometre. */
export function formatDistance(metres: number, t: Texts["t"]): string {
  if (metres < 995) return t("field.metres", { n: Math.max(10, Math.round(metres / 10) * 10) });
  return t("field.kilometres", { n: (metres / 1000).toFixed(metres < 9_950 ? 1 : 0) });
}
