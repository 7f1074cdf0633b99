import { Tag } from "antd";
import { type PointerEvent, useRef } from "react";
import type { LabelItem } from "../api/labelling";
import type { Point } from "../zones/geometry";
import { Cross } from "./Cross";
import { colourOf } from "./colours";
import { Shape } from "./Shape";
import type { Sheet } from "./sheet";

interface Props {
  item: LabelItem;
  sheet: Sheet;
  classes: readonly string[];
  /** told once the picture is on the page, or that it cannot be had */
  shown: (there: boolean) => void;
  corner: (point: Point) => void;
  hover: (point: Point) => void;
}

const LEAST_DRAG = 0.01;

/** The picture with its labels; what models suggest is dashed and white. A box is two clicks, or one drag. */
export function LabelCanvas({ item, sheet, classes, shown, corner, hover }: Props) {
  const pressed = useRef<Point | null>(null);
  const at = (event: PointerEvent<HTMLElement>): Point => {
    const frame = event.currentTarget.getBoundingClientRect();
    return [(event.clientX - frame.left) / frame.width, (event.clientY - frame.top) / frame.height];
  };
  return (
    <div
      className="annotator"
      data-testid="annotator"
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        pressed.current = at(event);
        corner(at(event));
      }}
      onPointerMove={(event) => hover(at(event))}
      onPointerUp={(event) => {
        const [from, to] = [pressed.current, at(event)];
        pressed.current = null;
        const far = from && Math.max(Math.abs(from[0] - to[0]), Math.abs(from[1] - to[1])) > LEAST_DRAG;
        if (far && sheet.tool === "box") corner(to);
      }}
    >
      <img
        src={item.picture}
        alt={item.name}
        draggable={false}
        style={{ aspectRatio: `${item.width} / ${item.height}` }}
        onLoad={() => shown(true)}
        onError={() => shown(false)}
      />
      <svg viewBox="0 0 1 1" preserveAspectRatio="none" aria-hidden="true">
        {item.suggested.map(({ label }, n) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: they never change their order
          <Shape key={n} label={label} className="shape suggested" />
        ))}
        {sheet.labels.map((label, n) => (
          <Shape
            // biome-ignore lint/suspicious/noArrayIndexKey: a label is its place in the list
            key={n}
            label={label}
            className={n === sheet.selected ? "shape selected" : "shape"}
            colour={colourOf(label.label, classes)}
          />
        ))}
        <Drawing sheet={sheet} colour={colourOf(sheet.word, classes)} />
      </svg>
      <div className="tags">
        {sheet.labels
          .filter(({ kind }) => kind === "tag")
          .map(({ label }) => (
            <Tag key={label} color={colourOf(label, classes)}>
              {label}
            </Tag>
          ))}
      </div>
    </div>
  );
}

/** What is half drawn, and the cross at which the keyboard draws. */
function Drawing({ sheet, colour }: { sheet: Sheet; colour: string }) {
  const first = sheet.corners[0];
  if (sheet.tool === "tag") return null;
  return (
    <>
      <Cross at={sheet.cursor} from={sheet.tool === "box" ? first : undefined} colour={colour} />
      {first && sheet.tool === "polygon" ? (
        <polyline
          className="shape"
          points={[...sheet.corners, sheet.cursor].map(([u, v]) => `${u},${v}`).join(" ")}
          fill="none"
          stroke={colour}
        />
      ) : null}
    </>
  );
}
