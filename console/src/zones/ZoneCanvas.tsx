import { type Dispatch, type KeyboardEvent, type PointerEvent, useEffect, useRef, useState } from "react";
import { useTexts } from "../i18n";
import { zoneColour } from "../live/draw";
import { useSize } from "../parts/useSize";
import { type EditState, type EditZone, faultOf, type Step } from "./editing";
import { centre, midpoint, type Point } from "./geometry";
import type { Offer } from "./useProposals";

interface Props {
  state: EditState;
  proposals: readonly Offer[];
  /** a proposal was clicked */
  accept: (offer: Offer) => void;
  dispatch: Dispatch<Step>;
  /** asked for when the polygon being drawn is closed */
  finish: () => void;
}

type Drag = { kind: "point"; index: number } | { kind: "zone"; from: Point };

const NUDGE = 0.002;
const CLOSE_PX = 12;
const ARROWS: Record<string, Point> = {
  ArrowLeft: [-NUDGE, 0],
  ArrowRight: [NUDGE, 0],
  ArrowUp: [0, -NUDGE],
  ArrowDown: [0, NUDGE],
};

/** The zones over the picture, editable by pointer and by keyboard. Its box is the picture's box. */
export function ZoneCanvas({ state, proposals, accept, dispatch, finish }: Props) {
  const svg = useRef<SVGSVGElement>(null);
  const [width, height] = useSize(svg);
  const [drag, setDrag] = useState<Drag | null>(null);
  const [hover, setHover] = useState<Point | null>(null);
  const drawing = state.drawing;

  const at = (event: PointerEvent): Point => {
    const box = svg.current?.getBoundingClientRect();
    return box ? [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height] : [0, 0];
  };

  const onDown = (event: PointerEvent) => {
    if (!drawing || event.button !== 0) return;
    const point = at(event);
    const first = drawing[0];
    const closes =
      drawing.length >= 3 &&
      first &&
      Math.hypot((point[0] - first[0]) * width, (point[1] - first[1]) * height) < CLOSE_PX;
    if (closes) finish();
    else dispatch({ do: "add-point", point });
  };
  const onMove = (event: PointerEvent) => {
    const point = at(event);
    if (drawing) setHover(point);
    else if (drag?.kind === "point") dispatch({ do: "move-point", index: drag.index, point });
    else if (drag?.kind === "zone") {
      dispatch({ do: "move-zone", by: [point[0] - drag.from[0], point[1] - drag.from[1]] });
      setDrag({ kind: "zone", from: point });
    }
  };
  const start = (next: Drag) => {
    dispatch({ do: "remember" });
    setDrag(next);
  };
  useDrawingKeys(drawing !== null, dispatch, finish);

  return (
    // biome-ignore lint/a11y/noSvgWithoutTitle: it is the editing surface; its zones and corners carry the names
    <svg
      ref={svg}
      viewBox={`0 0 ${width} ${height}`}
      className={drawing ? "drawing" : undefined}
      data-testid="zone-canvas"
      onPointerDown={onDown}
      onPointerMove={onMove}
      onPointerUp={() => setDrag(null)}
      onPointerLeave={() => setHover(null)}
    >
      {drawing
        ? null
        : proposals.map((offer) => (
            <Proposed key={offer.key} offer={offer} size={[width, height]} accept={() => accept(offer)} />
          ))}
      {state.zones.map((zone) => (
        <Shape
          key={zone.id}
          zone={zone}
          size={[width, height]}
          selected={zone.id === state.selected}
          inert={drawing !== null}
          onDown={(event) => {
            if (drawing) return;
            svg.current?.setPointerCapture(event.pointerId);
            if (zone.id === state.selected) start({ kind: "zone", from: at(event) });
            else dispatch({ do: "select", id: zone.id });
          }}
        />
      ))}
      {drawing ? null : (
        <Handles
          zone={state.zones.find((zone) => zone.id === state.selected)}
          size={[width, height]}
          dispatch={dispatch}
          onDown={(event, index) => {
            event.stopPropagation();
            svg.current?.setPointerCapture(event.pointerId);
            start({ kind: "point", index });
          }}
        />
      )}
      {drawing ? <Draft points={drawing} hover={hover} size={[width, height]} /> : null}
    </svg>
  );
}

function pixels(points: readonly Point[], [width, height]: Point): string {
  return points.map(([x, y]) => `${x * width},${y * height}`).join(" ");
}

interface ShapeProps {
  zone: EditZone;
  size: Point;
  selected: boolean;
  inert: boolean;
  onDown: (event: PointerEvent) => void;
}

function Shape({ zone, size, selected, inert, onDown }: ShapeProps) {
  const { word } = useTexts();
  const colour = faultOf(zone) ? "#ff5d5d" : zoneColour(zone.kind);
  const [x, middle] = centre(zone.polygon);
  // Above the zone where there is room, so that the name does not hide what stands in it.
  const top = Math.min(...zone.polygon.map(([, y]) => y)) * size[1];
  const y = top > 28 ? top - 9 : middle * size[1];
  const name = zone.name || word("zone", zone.kind);
  return (
    <g pointerEvents={inert ? "none" : undefined}>
      <polygon
        className={selected ? "zone selected" : "zone"}
        data-zone={zone.id}
        points={pixels(zone.polygon, size)}
        fill={`${colour}${selected ? "38" : "1c"}`}
        stroke={colour}
        strokeWidth={selected ? 2 : 1.4}
        onPointerDown={onDown}
      />
      <text
        x={x > 0.85 ? size[0] - 6 : x < 0.15 ? 6 : x * size[0]}
        y={y}
        fill="#fff"
        fontSize={13}
        textAnchor={x > 0.85 ? "end" : x < 0.15 ? "start" : "middle"}
        pointerEvents="none"
        paintOrder="stroke"
        stroke="#081016"
        strokeWidth={3}
      >
        {name}
      </text>
    </g>
  );
}

/** A zone that is offered: dashed, taken over with a click or with Enter. */
function Proposed({ offer, size, accept }: { offer: Offer; size: Point; accept: () => void }) {
  const { t, word } = useTexts();
  const colour = zoneColour(offer.kind);
  return (
    // biome-ignore lint/a11y/useSemanticElements: an SVG has no button
    <polygon
      className="proposal"
      role="button"
      tabIndex={0}
      aria-label={t("zones.proposal.take", { kind: word("zone", offer.kind), why: offer.why })}
      data-proposal={offer.key}
      points={pixels(offer.polygon, size)}
      fill={`${colour}14`}
      stroke={colour}
      strokeWidth={1.6}
      strokeDasharray="7 5"
      onPointerDown={accept}
      onKeyDown={(event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        accept();
      }}
    >
      <title>{offer.why}</title>
    </polygon>
  );
}

interface HandlesProps {
  zone: EditZone | undefined;
  size: Point;
  dispatch: Dispatch<Step>;
  onDown: (event: PointerEvent, index: number) => void;
}

function Handles({ zone, size, dispatch, onDown }: HandlesProps) {
  const { t } = useTexts();
  if (!zone) return null;
  const colour = zoneColour(zone.kind);
  const onKey = (event: KeyboardEvent, index: number, point: Point) => {
    const by = ARROWS[event.key];
    if (by) {
      const far = event.shiftKey ? 5 : 1;
      dispatch({ do: "remember" });
      dispatch({ do: "move-point", index, point: [point[0] + by[0] * far, point[1] + by[1] * far] });
    } else if (event.key === "Delete" || event.key === "Backspace") dispatch({ do: "remove-point", index });
    else return;
    event.preventDefault();
  };
  return (
    <>
      {zone.polygon.map((point, index) => {
        const next = zone.polygon[(index + 1) % zone.polygon.length] ?? point;
        const [x, y] = midpoint(point, next);
        return (
          // biome-ignore lint/a11y/useSemanticElements: an SVG has no button
          <circle
            // biome-ignore lint/suspicious/noArrayIndexKey: an edge is its place in the polygon
            key={`m${index}`}
            className="midpoint"
            role="button"
            aria-label={t("zones.insert", { n: index + 1 })}
            cx={x * size[0]}
            cy={y * size[1]}
            r={4}
            fill={colour}
            fillOpacity={0.7}
            onPointerDown={(event) => {
              event.stopPropagation();
              dispatch({ do: "insert-point", after: index });
            }}
          />
        );
      })}
      {zone.polygon.map((point, index) => (
        // biome-ignore lint/a11y/useSemanticElements: an SVG has no button
        <circle
          // biome-ignore lint/suspicious/noArrayIndexKey: a corner is its place in the polygon
          key={`v${index}`}
          className="vertex"
          role="button"
          tabIndex={0}
          aria-label={t("zones.point", { n: index + 1 })}
          cx={point[0] * size[0]}
          cy={point[1] * size[1]}
          r={6.5}
          fill="#fff"
          stroke={colour}
          strokeWidth={2.5}
          onPointerDown={(event) => onDown(event, index)}
          onKeyDown={(event) => onKey(event, index, point)}
        />
      ))}
    </>
  );
}

function Draft({ points, hover, size }: { points: readonly Point[]; hover: Point | null; size: Point }) {
  const shown = hover ? [...points, hover] : points;
  return (
    <g pointerEvents="none">
      <polyline points={pixels(shown, size)} fill="rgba(255,255,255,.12)" stroke="#fff" strokeWidth={1.6} />
      {points.map((point, index) => (
        <circle
          // biome-ignore lint/suspicious/noArrayIndexKey: a corner is its place in the polygon
          key={index}
          cx={point[0] * size[0]}
          cy={point[1] * size[1]}
          r={index === 0 && points.length >= 3 ? 8 : 4.5}
          fill={index === 0 ? "#4aa8d0" : "#fff"}
        />
      ))}
    </g>
  );
}

/** Enter, Backspace and Escape while a polygon is being drawn. */
function useDrawingKeys(active: boolean, dispatch: Dispatch<Step>, finish: () => void): void {
  const newestFinish = useRef(finish);
  newestFinish.current = finish;
  useEffect(() => {
    if (!active) return;
    const onKey = (event: globalThis.KeyboardEvent) => {
      if (event.key === "Enter") newestFinish.current();
      else if (event.key === "Escape") dispatch({ do: "cancel-drawing" });
      else if (event.key === "Backspace") dispatch({ do: "drop-point" });
      else return;
      event.preventDefault();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [active, dispatch]);
}
