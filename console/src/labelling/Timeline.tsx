import type { PointerEvent } from "react";
import type { Label } from "../api/labelling";
import { useTexts } from "../i18n";
import { colourOf } from "./colours";
import { clock, frameAt, headOf, momentOf, type Reel } from "./reel";
import { spanOf } from "./tracks";

interface Props {
  reel: Reel;
  classes: readonly string[];
  seek: (frame: number) => void;
  select: (number: number) => void;
}

/** Where the play head is in the clip, and when each label holds. */
export function Timeline({ reel, classes, seek, select }: Props) {
  const { t } = useTexts();
  const { clip } = reel;
  const share = (seconds: number) => `${(100 * Math.min(seconds, clip.duration_s)) / clip.duration_s}%`;
  const scrub = (event: PointerEvent<HTMLElement>) => {
    if (event.type === "pointermove" && event.buttons === 0) return;
    const ground = event.currentTarget.getBoundingClientRect();
    seek(frameAt(clip, ((event.clientX - ground.left) / ground.width) * clip.duration_s));
  };
  return (
    <section className="timeline" aria-label={t("label.timeline")}>
      <div className="timeline-told number">
        <b data-testid="head">{clock(headOf(reel))}</b>
        <span className="dim">
          {" / "}
          {clock(clip.duration_s)} ·{" "}
          {t("label.frame", { n: reel.frame + 1, all: clip.frames, fps: Math.round(clip.fps * 100) / 100 })}
        </span>
      </div>
      <div
        className="timeline-ground"
        data-testid="timeline"
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          scrub(event);
        }}
        onPointerMove={scrub}
      >
        <div className="timeline-rule">
          {ticks(clip.duration_s).map((at) => (
            <span key={at} style={{ left: share(at) }}>
              {clock(at).replace(/\.00$/, "")}
            </span>
          ))}
        </div>
        {reel.labels.map((one, n) =>
          one.kind === "track" || one.kind === "interval" ? (
            <Row
              // biome-ignore lint/suspicious/noArrayIndexKey: a label is its place in the list
              key={n}
              label={one}
              colour={colourOf(one.label, classes)}
              selected={n === reel.selected}
              share={share}
              pick={() => select(n)}
            />
          ) : null,
        )}
        {reel.from !== null ? (
          <div className="timeline-row">
            <i
              className="bar begun"
              style={{
                left: share(momentOf(clip, Math.min(reel.from, reel.frame))),
                right: `calc(100% - ${share(momentOf(clip, Math.max(reel.from, reel.frame)))})`,
                background: colourOf(reel.word, classes),
              }}
            />
          </div>
        ) : null}
        <i className="timeline-head" style={{ left: share(headOf(reel)) }} />
      </div>
    </section>
  );
}

interface RowProps {
  label: Extract<Label, { kind: "track" | "interval" }>;
  colour: string;
  selected: boolean;
  share: (seconds: number) => string;
  pick: () => void;
}

function Row({ label, colour, selected, share, pick }: RowProps) {
  const [start, end] =
    label.kind === "track" ? spanOf(label) : [label.start, label.end ?? Number.POSITIVE_INFINITY];
  return (
    <div className={selected ? "timeline-row selected" : "timeline-row"} onPointerDown={pick}>
      <i
        className={
          label.kind === "track" ? "bar line" : end === Number.POSITIVE_INFINITY ? "bar open" : "bar"
        }
        data-kind={label.kind}
        style={{ left: share(start), right: `calc(100% - ${share(end)})`, background: colour }}
      />
      {label.kind === "track"
        ? label.keys.map(({ at, outside }) => (
            <i
              key={at}
              className={outside ? "key gone" : "key"}
              style={{ left: share(at), borderColor: colour, background: outside ? undefined : colour }}
            />
          ))
        : null}
      <span className="name" style={{ left: share(start) }}>
        {label.label}
        {label.kind === "interval" && label.zone ? ` · ${label.zone}` : ""}
      </span>
    </div>
  );
}

const STEPS = [0.5, 1, 2, 5, 10, 15, 30, 60];

/** Whole moments of the clip, at most ten. */
function ticks(duration: number): number[] {
  const step = STEPS.find((one) => duration / one <= 10) ?? 60;
  return Array.from({ length: Math.ceil(duration / step) }, (_, n) => n * step);
}
