import type { ChangedItem } from "../api/datasets";
import type { Label } from "../api/labelling";

/** What can be said of a picture or clip. */
export type Drawn = NonNullable<ChangedItem["after"]>[number] | Label;

/** A box or an outline in a square of 1 x 1; nothing for what has no place in the picture. */
export function Shape({ label, className, colour }: { label: Drawn; className: string; colour?: string }) {
  const paint = colour ? { fill: colour, stroke: colour } : {};
  if (label.kind === "box") {
    const [x1, y1, x2, y2] = label.box;
    return <rect className={className} x={x1} y={y1} width={x2 - x1} height={y2 - y1} {...paint} />;
  }
  if (label.kind === "polygon") {
    return (
      <polygon
        className={className}
        points={label.points.map(([x, y]) => `${x},${y}`).join(" ")}
        {...paint}
      />
    );
  }
  return null;
}
