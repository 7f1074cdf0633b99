import { type PointerEvent, type RefObject, useRef } from "react";
import type { LabelItem } from "../api/labelling";
import { useTexts } from "../i18n";
import type { Point } from "../zones/geometry";
import { Cross } from "./Cross";
import { colourOf } from "./colours";
import { boxesOf, headOf, type Reel, selectedOf } from "./reel";
import { boxAt, type Corners } from "./tracks";

interface Props {
  item: LabelItem;
  reel: Reel;
  classes: readonly string[];
  film: RefObject<HTMLVideoElement | null>;
  /** told once the clip can be seen, or that it cannot be had */
  shown: (there: boolean) => void;
  there: boolean | null;
  corner: (point: Point) => void;
  hover: (point: Point) => void;
}

const LEAST_DRAG = 0.01;

/** The clip with the boxes of its tracks as they are at the play head; what models suggest is dashed and white. A box is two clicks, or one drag. */
export function ClipStage({ item, reel, classes, film, shown, there, corner, hover }: Props) {
  const { t } = useTexts();
  const pressed = useRef<Point | null>(null);
  const at = (event: PointerEvent<HTMLElement>): Point => {
    const frame = event.currentTarget.getBoundingClientRect();
    return [(event.clientX - frame.left) / frame.width, (event.clientY - frame.top) / frame.height];
  };
  return (
    <div
      className="annotator"
      data-testid="annotator"
      style={{ maxWidth: `calc((100vh - 340px) * ${item.width / item.height})`, margin: "0 auto" }}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        pressed.current = at(event);
        corner(at(event));
      }}
      onPointerMove={(event) => hover(at(event))}
      onPointerUp={(event) => {
        const [from, to] = [pressed.current, at(event)];
        pressed.current = null;
        if (from && Math.max(Math.abs(from[0] - to[0]), Math.abs(from[1] - to[1])) > LEAST_DRAG) corner(to);
      }}
    >
      <video
        ref={film}
        src={item.picture}
        muted
        playsInline
        preload="auto"
        style={{ aspectRatio: `${item.width} / ${item.height}` }}
        onLoadedData={() => shown(true)}
        onError={() => shown(false)}
      />
      {there === null ? <p className="film-waits">{t("label.clip.making")}</p> : null}
      <svg viewBox="0 0 1 1" preserveAspectRatio="none" aria-hidden="true">
        {suggestedAt(item, headOf(reel)).map(([x1, y1, x2, y2], n) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: suggestions never move
          <rect key={n} className="shape suggested" x={x1} y={y1} width={x2 - x1} height={y2 - y1} />
        ))}
        {boxesOf(reel).map(({ number, label, box: [x1, y1, x2, y2], key }) => (
          <rect
            key={number}
            className={number === reel.selected ? "shape selected" : "shape"}
            strokeDasharray={key ? undefined : "7 4"}
            x={x1}
            y={y1}
            width={x2 - x1}
            height={y2 - y1}
            fill={colourOf(label, classes)}
            stroke={colourOf(label, classes)}
          />
        ))}
        <Drawing reel={reel} colour={colourOf(reel.word, classes)} />
      </svg>
    </div>
  );
}

/** Where models suggest that things are at a moment. */
function suggestedAt(item: LabelItem, seconds: number): Corners[] {
  return item.suggested
    .map(({ label }) => (label.kind === "track" ? boxAt(label, seconds) : null))
    .filter((box) => box !== null);
}

/** Nothing is drawn while a track is moved. */
function Drawing({ reel, colour }: { reel: Reel; colour: string }) {
  const first = reel.corners[0];
  if (!first && selectedOf(reel)?.kind === "track") return null;
  return <Cross at={reel.cursor} from={first} colour={colour} />;
}
