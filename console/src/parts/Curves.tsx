import { placed, rangeOf, type Step, seriesOf, told } from "./curve";
import "./curves.css";

/** A small picture for each figure, as they differ in scale: its name, its newest value, its lowest and highest. */
export function Curves({
  steps,
  of,
  name,
}: {
  steps: readonly Step[];
  of: number;
  name: (id: string) => string;
}) {
  return (
    <div className="curves" data-testid="curves">
      {seriesOf(steps).map(([id, points]) => {
        const last = points.at(-1);
        if (!last) return null;
        const line = placed(points, of);
        const [low, high] = rangeOf(points);
        const end = line.at(-1) ?? [0, 0];
        return (
          <figure key={id} data-figure={id}>
            <figcaption>
              {name(id)} <b className="number">{told(last[1])}</b>
            </figcaption>
            <div className="curve">
              <svg viewBox="0 0 1 1" preserveAspectRatio="none" aria-hidden="true">
                <polyline points={line.map(([x, y]) => `${x},${y}`).join(" ")} />
              </svg>
              <i style={{ left: `${end[0] * 100}%`, top: `${end[1] * 100}%` }} />
            </div>
            <div className="dim number">
              {told(low)} – {told(high)}
            </div>
          </figure>
        );
      })}
    </div>
  );
}
