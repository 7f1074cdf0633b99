import type { Point } from "../zones/geometry";

const LEAST = 0.005; // of a side: less is a click, not a box

/** The four corners of the box between two points, shares of the picture; null: too small to be meant. */
export function boxBetween(a: Point, b: Point): Point[] | null {
  const within = (v: number) => Math.round(Math.min(1, Math.max(0, v)) * 10_000) / 10_000;
  const [x1, x2] = [within(Math.min(a[0], b[0])), within(Math.max(a[0], b[0]))];
  const [y1, y2] = [within(Math.min(a[1], b[1])), within(Math.max(a[1], b[1]))];
  if (x2 - x1 < LEAST || y2 - y1 < LEAST) return null;
  return [
    [x1, y1],
    [x2, y1],
    [x2, y2],
    [x1, y2],
  ];
}
