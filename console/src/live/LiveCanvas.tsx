import { useCallback, useEffect, useRef, useState } from "react";
import { useTexts } from "../i18n";
import { contain, type DrawnZone, drawBoxes, drawZones } from "./draw";
import type { LiveBox, LiveHeader } from "./protocol";
import { useLive } from "./useLive";

const STALE_S = 5;
const AWAY = new Set(["offline", "stalled"]);

interface Props {
  camera: string;
  name: string;
  zones: readonly DrawnZone[];
  /** pictures a second at most */
  fps: number;
  enabled?: boolean;
  /** the camera's state, said while there is no picture */
  state?: string;
  onSize?: (width: number, height: number) => void;
}

interface Shown {
  picture: ImageBitmap;
  boxes: readonly LiveBox[];
}

/** One camera's live picture with boxes and zones, drawn on a canvas that fills its parent. */
export function LiveCanvas({ camera, name, zones, fps, enabled = true, state = "running", onSize }: Props) {
  const { t, word } = useTexts();
  const canvas = useRef<HTMLCanvasElement>(null);
  const shown = useRef<Shown | null>(null);

  const draw = useCallback(() => {
    const element = canvas.current;
    const ctx = element?.getContext("2d");
    if (!element || !ctx) return;
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    const { clientWidth, clientHeight } = element;
    const [width, height] = [Math.round(clientWidth * ratio), Math.round(clientHeight * ratio)];
    if (element.width !== width || element.height !== height) {
      element.width = width;
      element.height = height;
    }
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    ctx.clearRect(0, 0, clientWidth, clientHeight);
    const now = shown.current;
    if (!now) return;
    const frame = contain(now.picture.width, now.picture.height, clientWidth, clientHeight);
    ctx.drawImage(now.picture, frame.x, frame.y, frame.width, frame.height);
    drawZones(ctx, zones, frame);
    drawBoxes(ctx, now.boxes, frame, (id) => word("class", id));
  }, [zones, word]);

  const paint = useCallback(
    (picture: ImageBitmap, header: LiveHeader) => {
      shown.current?.picture.close();
      shown.current = { picture, boxes: header.boxes };
      if (canvas.current)
        canvas.current.dataset.pictures = String(Number(canvas.current.dataset.pictures ?? 0) + 1);
      onSize?.(header.width, header.height);
      requestAnimationFrame(draw);
    },
    [draw, onSize],
  );

  const view = useLive(canvas, camera, fps, enabled, paint);

  useEffect(() => {
    draw();
    const observer = new ResizeObserver(draw);
    if (canvas.current) observer.observe(canvas.current);
    return () => observer.disconnect();
  }, [draw]);

  const silence = useSilence(view.arrived);
  let note = "";
  if (!enabled) note = t("live.disabled");
  else if (view.link === "refused") note = t("live.refused");
  else if (view.link === "retrying") note = t("live.retrying");
  else if (view.link === "connecting") note = view.arrived === null ? t("live.connecting") : "";
  else if (view.arrived === null) note = AWAY.has(state) ? word("state", state) : t("live.waiting");
  else if (silence >= STALE_S) note = t("live.stale", { s: silence });

  return (
    <>
      <canvas ref={canvas} role="img" aria-label={name} data-camera={camera} />
      {note ? (
        <div className={view.arrived === null ? "live-note" : "live-note over"}>
          <span>{note}</span>
        </div>
      ) : null}
    </>
  );
}

/** Whole seconds since `arrived`. */
function useSilence(arrived: number | null): number {
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    setSeconds(0);
    if (arrived === null) return;
    const timer = setInterval(() => setSeconds(Math.floor((performance.now() - arrived) / 1000)), 1000);
    return () => clearInterval(timer);
  }, [arrived]);
  return seconds;
}
