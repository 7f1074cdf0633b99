import type { World } from "./mercator";

/** The corners of the smallest convex shape around points (monotone chain); fewer than three: no shape. */
export function convexHull(points: readonly World[]): World[] {
  const sorted = [...points].sort((a, b) => a.x - b.x || a.y - b.y);
  const turn = (o: World, a: World, b: World) => (a.x - o.x) * (b.y - o.y) - (a.y - o.y) * (b.x - o.x);
  const half = (run: readonly World[]) => {
    const chain: World[] = [];
    for (const point of run) {
      while (chain.length > 1 && turn(chain.at(-2) as World, chain.at(-1) as World, point) <= 0) chain.pop();
      chain.push(point);
    }
    chain.pop();
    return chain;
  };
  const corners = [...half(sorted), ...half(sorted.reverse())];
  return corners.length < 3 ? [] : corners;
}
