/** A point of a curve: after how many steps, and the figure there. */
export type Point = [step: number, value: number];

export interface Step {
  step: number;
  figures: Record<string, number>;
}

/** Curves by the name of their figure, in order of names. */
export function seriesOf(steps: readonly Step[]): [string, Point[]][] {
  const found = new Map<string, Point[]>();
  for (const { step, figures } of steps)
    for (const [name, value] of Object.entries(figures)) {
      const points = found.get(name) ?? [];
      points.push([step, value]);
      found.set(name, points);
    }
  return [...found].sort(([a], [b]) => a.localeCompare(b));
}

/** The lowest and highest figure. */
export function rangeOf(points: readonly Point[]): [number, number] {
  const values = points.map(([, value]) => value);
  return [Math.min(...values), Math.max(...values)];
}

/** Points as an SVG's `points`, in a unit square with y downwards; a curve that does not change is in the middle.
 *
 * `of`: the last step there will be, so that a running training shows how far it is. */
export function placed(points: readonly Point[], of: number): [number, number][] {
  const [low, high] = rangeOf(points);
  const span = high - low;
  return points.map(([step, value]) => [
    of > 1 ? (step - 1) / (of - 1) : 0.5,
    span > 0 ? (high - value) / span : 0.5,
  ]);
}

/** A figure in as few digits as tell it apart. */
export const told = (value: number) => String(Number(value.toPrecision(4)));
