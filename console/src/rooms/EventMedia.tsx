import { Alert } from "antd";
import { useState } from "react";
import type { EventDetail, Schemas } from "../api/client";
import { useTexts } from "../i18n";
import { zoneColour } from "../live/draw";
import { Nothing } from "../parts/Trouble";
import { formatTime } from "../parts/time";
import { MediaBar } from "./MediaBar";

type Evidence = Schemas["EvidenceOut"];

const ORDER = ["decision", "density", "entry", "latest", "closing", "clip"];

/** What there is to see of an event, the picture that shows it best first and the clip last. */
export function mediaOf(event: EventDetail): Evidence[] {
  return [...event.evidence].sort((a, b) => ORDER.indexOf(a.role) - ORDER.indexOf(b.role) || a.utc - b.utc);
}

/** Pictures and clip of an event: one large, the others to choose from. */
export function EventMedia({ event }: { event: EventDetail }) {
  const { t, word, language } = useTexts();
  const [chosen, setChosen] = useState<string | null>(null);
  const items = mediaOf(event);
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
  // What it is unmasked for; "": it is masked.
  const [purpose, setPurpose] = useState("");
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
  const query = purpose ? `?unmasked=1&purpose=${encodeURIComponent(purpose)}` : "";
  return (
    <>
      {isClip ? (
        <Film key={query} evidence={evidence} query={query} />
      ) : (
        <div className="media">
          <Picture
            event={event}
            evidence={evidence}
            src={evidence.url + query}
            alt={word("detail", evidence.role)}
          />
        </div>
      )}
      <MediaBar purpose={purpose} set={setPurpose} href={evidence.url + query} />
    </>
  );
}

/** The masked copy; unmasked the original first, where the browser cannot play it a copy of it, else only the download. */
export function Film({ evidence, query }: { evidence: Evidence; query: string }) {
  const { t } = useTexts();
  const first = query ? "original" : "masked";
  const [source, setSource] = useState<"masked" | "original" | "copy" | "none">(first);
  const [playing, setPlaying] = useState(false);
  const copied = source === "copy" || source === "masked";
  return (
    <>
      <div className="media">
        <video
          key={source}
          src={source === "copy" ? `${evidence.url}/proxy${query}` : evidence.url + query}
          data-source={source}
          controls
          autoPlay
          muted
          loop
          playsInline
          onLoadedData={() => setPlaying(true)}
          onError={() => setSource(source === "original" ? "copy" : "none")}
        />
      </div>
      {copied ? (
        <Alert
          type="info"
          title={t(playing ? "detail.clip.derived" : "detail.clip.making")}
          style={{ marginTop: 8 }}
        />
      ) : null}
      {source === "none" ? (
        <Alert type="warning" title={t("detail.clip.unplayable")} style={{ marginTop: 8 }} />
      ) : null}
    </>
  );
}

/** A photo with its zone and the subject's box of the transition that brought it drawn over it. */
export function Picture({
  event,
  evidence,
  src,
  alt,
  shown,
}: {
  event: EventDetail;
  evidence: Evidence;
  src: string;
  alt: string;
  /** told once it is on the page, or cannot be had */
  shown?: () => void;
}) {
  const [size, setSize] = useState<[number, number] | null>(null);
  const step = event.transitions.find((one) => one.evidence.some((e) => e.sha256 === evidence.sha256));
  // The entry photo is brought by the opening transition, but was taken when the condition began.
  const box = (step ?? event).subject.box;
  return (
    <>
      <img
        src={src}
        alt={alt}
        data-testid="photo"
        onError={shown}
        onLoad={(e) => {
          setSize([e.currentTarget.naturalWidth, e.currentTarget.naturalHeight]);
          shown?.();
        }}
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
