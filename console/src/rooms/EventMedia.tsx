import { DownloadOutlined } from "@ant-design/icons";
import { Alert, Button } from "antd";
import { useState } from "react";
import type { EventDetail, Schemas } from "../api/client";
import { useTexts } from "../i18n";
import { zoneColour } from "../live/draw";
import { Nothing } from "../parts/Trouble";
import { formatTime } from "../parts/time";

type Evidence = Schemas["EvidenceOut"];

const ORDER = ["decision", "density", "entry", "latest", "closing", "clip"];

/** Pictures and clip of an event: one large, the others to choose from. */
export function EventMedia({ event }: { event: EventDetail }) {
  const { t, word, language } = useTexts();
  const [chosen, setChosen] = useState<string | null>(null);
  const items = [...event.evidence].sort(
    (a, b) => ORDER.indexOf(a.role) - ORDER.indexOf(b.role) || a.utc - b.utc,
  );
  const shown = items.find((one) => one.sha256 === chosen) ?? items[0];
  const hasClip = items.some((one) => one.role === "clip");

  return (
    <div>
      {shown ? (
        <Large key={shown.sha256} event={event} evidence={shown} />
      ) : (
        <div className="media" style={{ aspectRatio: "16 / 9" }}>
          <Nothing title={t("detail.picture.none")} />
        </div>
      )}
      <div className="strip">
        {items.map((one) => (
          <button
            type="button"
            key={`${one.role}-${one.sha256}`}
            aria-pressed={one.sha256 === shown?.sha256}
            data-role={one.role}
            onClick={() => setChosen(one.sha256)}
          >
            {one.role === "clip" && !one.deleted_utc ? (
              <span className="thumb" style={{ fontSize: 26, color: "var(--accent)" }}>
                ▶
              </span>
            ) : one.stored && !one.deleted_utc ? (
              <img className="thumb" src={one.url} alt="" loading="lazy" />
            ) : (
              <span className="thumb">{one.deleted_utc ? "✕" : "…"}</span>
            )}
            {word("detail", one.role)}
            <br />
            <span className="number">{formatTime(one.utc, language)}</span>
          </button>
        ))}
      </div>
      {hasClip ? null : (
        <p className="dim">{t(event.state === "open" ? "detail.clip.waiting" : "detail.clip.none")}</p>
      )}
    </div>
  );
}

function Large({ event, evidence }: { event: EventDetail; evidence: Evidence }) {
  const { t, word, language } = useTexts();
  // The original first; where the browser cannot play it, the copy; where there is none either, only the download.
  const [source, setSource] = useState<"original" | "copy" | "none">("original");
  const [playing, setPlaying] = useState(false);
  const isClip = evidence.role === "clip";
  if (evidence.deleted_utc) {
    const when = formatTime(evidence.deleted_utc, language);
    return (
      <div className="media" style={{ aspectRatio: "16 / 9" }} data-testid="deleted">
        <Nothing title={t("detail.deleted", { when })} text={t("detail.deleted.how")} />
      </div>
    );
  }
  if (!evidence.stored) {
    return (
      <div className="media" style={{ aspectRatio: "16 / 9" }}>
        <Nothing title={t("detail.waiting")} text={evidence.sha256.slice(0, 16)} />
      </div>
    );
  }
  return (
    <>
      <div className="media">
        {isClip ? (
          <video
            key={source}
            src={source === "copy" ? `${evidence.url}/proxy` : evidence.url}
            data-source={source}
            controls
            autoPlay
            muted
            loop
            playsInline
            onLoadedData={() => setPlaying(true)}
            onError={() => setSource(source === "original" ? "copy" : "none")}
          />
        ) : (
          <Picture event={event} evidence={evidence} alt={word("detail", evidence.role)} />
        )}
      </div>
      {source === "copy" ? (
        <Alert
          type="info"
          title={t(playing ? "detail.clip.derived" : "detail.clip.making")}
          style={{ marginTop: 8 }}
        />
      ) : null}
      {source === "none" ? (
        <Alert type="warning" title={t("detail.clip.unplayable")} style={{ marginTop: 8 }} />
      ) : null}
      <div style={{ textAlign: "right", marginTop: 4 }}>
        <Button size="small" type="text" icon={<DownloadOutlined />} href={evidence.url} download>
          {t("detail.download")}
        </Button>
      </div>
    </>
  );
}

/** A photo with its zone and the subject's box of the transition that brought it drawn over it. */
function Picture({ event, evidence, alt }: { event: EventDetail; evidence: Evidence; alt: string }) {
  const [size, setSize] = useState<[number, number] | null>(null);
  const step = event.transitions.find((one) => one.evidence.some((e) => e.sha256 === evidence.sha256));
  // The entry photo is brought by the opening transition, but was taken when the condition began.
  const box = (step ?? event).subject.box;
  return (
    <>
      <img
        src={evidence.url}
        alt={alt}
        data-testid="photo"
        onLoad={(e) => setSize([e.currentTarget.naturalWidth, e.currentTarget.naturalHeight])}
      />
      {size ? (
        <svg viewBox={`0 0 ${size[0]} ${size[1]}`} aria-hidden="true">
          {event.zone_now ? (
            <polygon
              points={event.zone_now.polygon.map(([x, y]) => `${x * size[0]},${y * size[1]}`).join(" ")}
              fill={`${zoneColour(event.zone_now.kind)}22`}
              stroke={zoneColour(event.zone_now.kind)}
              strokeWidth={1.75}
              vectorEffect="non-scaling-stroke"
            />
          ) : null}
          {box ? (
            <rect
              x={box[0] * size[0]}
              y={box[1] * size[1]}
              width={(box[2] - box[0]) * size[0]}
              height={(box[3] - box[1]) * size[1]}
              fill="none"
              stroke="#ff5d5d"
              strokeWidth={2.5}
              vectorEffect="non-scaling-stroke"
            />
          ) : null}
        </svg>
      ) : null}
    </>
  );
}
