import { useQuery } from "@tanstack/react-query";
import { Alert, Input, Modal, Segmented, Select, Skeleton } from "antd";
import { type PointerEvent, useEffect, useMemo, useRef, useState } from "react";
import { ApiError, type EventSummary, type Problem } from "../api/client";
import { useCamera, useEvent } from "../api/queries";
import { freshId } from "../api/retry";
import { useTexts } from "../i18n";
import { useLetters } from "../outbox/Letters";
import { letter } from "../outbox/letters";
import { CameraSelect } from "../parts/CameraSelect";
import { Trouble } from "../parts/Trouble";
import { formatTime } from "../parts/time";
import { boxBetween } from "../review/box";
import type { Point } from "../zones/geometry";
import { mediaOf } from "./EventMedia";
import { TYPES } from "./filters";

/** A picture that can be drawn on: of an event, or what a camera sees now. */
interface Ground {
  src: string;
  utc: number;
  camera: string;
  /** Which picture that is: of an event, or by its hash alone the one that the server has just shown. */
  from: { event?: string; sha256: string };
}

/** Says what was missed: a box drawn on a picture of the event, or on what a camera sees now. */
export function ReviewMissed({ event, close }: { event: EventSummary; close: () => void }) {
  const { t, word, language } = useTexts();
  const said = useLetters();
  const [source, setSource] = useState<"event" | "live">("event");
  const [camera, setCamera] = useState(event.camera);
  const ofEvent = useEventGround(event, source === "event");
  const live = useLiveGround(camera, source === "live");
  const { ground, error } = source === "event" ? ofEvent : live;
  const [corners, setCorners] = useState<Point[] | null>(null);
  const [type, setType] = useState(event.type);
  const [zone, setZone] = useState("");
  const [note, setNote] = useState("");
  const zones = useCamera(ground?.camera ?? event.camera).data?.zones ?? [];
  const fresh = (set: () => void) => {
    set();
    setCorners(null);
    setZone("");
  };
  const save = () => {
    if (!ground || !corners) return;
    const polygon = corners.map(([x, y]): [number, number] => [x, y]);
    const body = {
      type,
      camera: ground.camera,
      zone,
      moment_utc: ground.utc,
      polygon,
      note,
      key: freshId(),
      ...ground.from,
    };
    said.put(letter({ to: "missed", body }));
    close();
  };
  return (
    <Modal
      open
      width={920}
      title={t("missed.title")}
      okText={t("missed.save")}
      cancelText={t("review.cancel")}
      okButtonProps={{ disabled: corners === null }}
      onOk={save}
      onCancel={close}
    >
      <div className="filters">
        <Segmented<"event" | "live">
          value={source}
          onChange={(value) => fresh(() => setSource(value))}
          options={[
            { value: "event", label: t("missed.event") },
            { value: "live", label: t("missed.live") },
          ]}
        />
        {source === "live" ? (
          <CameraSelect
            value={[camera]}
            onChange={(ids) => fresh(() => setCamera(ids.at(-1) ?? event.camera))}
            placeholder={t("events.camera")}
            width={220}
          />
        ) : null}
        <Select
          aria-label={t("events.type")}
          value={type}
          onChange={setType}
          options={[...new Set([...TYPES, event.type])].map((one) => ({
            value: one,
            label: word("event", one),
          }))}
        />
        <Select
          aria-label={t("events.zone")}
          value={zone}
          onChange={setZone}
          options={[
            { value: "", label: t("missed.zone.none") },
            ...zones.map((one) => ({ value: one.id, label: one.name || one.id })),
          ]}
        />
        <Input
          aria-label={t("cases.note")}
          placeholder={t("missed.note")}
          maxLength={500}
          value={note}
          onChange={(e) => setNote(e.target.value)}
          onPressEnter={save}
          style={{ width: 220 }}
        />
      </div>
      {error ? <Trouble error={error} /> : null}
      {ground ? (
        <>
          <Drawing key={ground.src} src={ground.src} corners={corners} set={setCorners} />
          <p className="dim number">{t("missed.at", { time: formatTime(ground.utc, language) })}</p>
        </>
      ) : error ? null : (
        <Skeleton active />
      )}
      {source === "live" ? <Alert type="info" showIcon title={t("missed.live.about")} /> : null}
    </Modal>
  );
}

function useEventGround(event: EventSummary, enabled: boolean): { ground: Ground | null; error: unknown } {
  const { data, error } = useEvent(event.id);
  if (!enabled || !data) return { ground: null, error: enabled ? error : null };
  const one = mediaOf(data).find((piece) => piece.stored && !piece.deleted_utc && piece.role !== "clip");
  if (!one) return { ground: null, error: new Error("no picture") };
  const from = { event: event.id, sha256: one.sha256 };
  return { ground: { src: one.url, utc: one.utc, camera: event.camera, from }, error: null };
}

function useLiveGround(camera: string, enabled: boolean): { ground: Ground | null; error: unknown } {
  const { data, error } = useQuery({
    queryKey: ["snapshot", camera],
    queryFn: () => snapshot(camera),
    enabled,
    gcTime: 0,
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
  const src = useMemo(() => (data ? URL.createObjectURL(data.blob) : ""), [data]);
  useEffect(() => () => URL.revokeObjectURL(src), [src]);
  return {
    ground: data && src ? { src, utc: data.utc, camera, from: { sha256: data.sha256 } } : null,
    error: enabled ? error : null,
  };
}

async function snapshot(camera: string): Promise<{ blob: Blob; utc: number; sha256: string }> {
  const response = await fetch(`/api/cameras/${encodeURIComponent(camera)}/snapshot.jpg`, {
    credentials: "same-origin",
  });
  if (!response.ok) throw new ApiError(response.status, (await response.json()) as Problem);
  return {
    blob: await response.blob(),
    utc: Number(response.headers.get("x-picture-utc")),
    sha256: response.headers.get("x-picture-sha256") ?? "",
  };
}

interface DrawingProps {
  src: string;
  corners: Point[] | null;
  set: (corners: Point[] | null) => void;
}

/** A picture on which a box is drawn by dragging. */
function Drawing({ src, corners, set }: DrawingProps) {
  const { t } = useTexts();
  const frame = useRef<HTMLDivElement>(null);
  const [from, setFrom] = useState<Point | null>(null);
  const at = (event: PointerEvent): Point => {
    const box = frame.current?.getBoundingClientRect();
    if (!box) return [0, 0];
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  };
  return (
    <div
      ref={frame}
      className="drawing"
      data-testid="missed-picture"
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        setFrom(at(event));
        set(null);
      }}
      onPointerMove={(event) => from && set(boxBetween(from, at(event)))}
      onPointerUp={() => setFrom(null)}
    >
      <img className="drawn-on" src={src} alt={t("missed.how")} draggable={false} />
      <svg viewBox="0 0 1 1" preserveAspectRatio="none" aria-hidden="true">
        {corners ? (
          <polygon
            points={corners.map((one) => one.join(",")).join(" ")}
            fill="#ff5d5d33"
            stroke="#ff5d5d"
            strokeWidth={2}
            vectorEffect="non-scaling-stroke"
          />
        ) : null}
      </svg>
      {corners || from ? null : <span className="drawing-how">{t("missed.how")}</span>}
    </div>
  );
}
