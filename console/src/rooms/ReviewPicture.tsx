import { useEffect } from "react";
import type { EventDetail } from "../api/client";
import { useTexts } from "../i18n";
import { Nothing } from "../parts/Trouble";
import { formatTime } from "../parts/time";
import { Film, mediaOf, Picture } from "./EventMedia";

interface Props {
  event: EventDetail;
  /** which of the pictures, counted on from the first and round again */
  look: number;
  clip: boolean;
  /** told once there is something to judge by on the page, or there is nothing */
  shown: () => void;
}

/** The picture to judge by, large, with zone and box; or the clip. */
export function ReviewPicture({ event, look, clip, shown }: Props) {
  const { t, word, language } = useTexts();
  const there = mediaOf(event).filter((one) => one.stored && !one.deleted_utc);
  const pictures = there.filter((one) => one.role !== "clip");
  const film = there.find((one) => one.role === "clip");
  const one = pictures[((look % pictures.length) + pictures.length) % pictures.length];
  const nothing = one === undefined;
  useEffect(() => {
    if (nothing) shown();
  }, [nothing, shown]);
  return (
    <div>
      {clip && film ? (
        <Film evidence={film} query="" />
      ) : one ? (
        <div className="media">
          <Picture
            key={one.sha256}
            event={event}
            evidence={one}
            src={one.url}
            alt={word("detail", one.role)}
            shown={shown}
          />
        </div>
      ) : (
        <div className="media" style={{ aspectRatio: "16 / 9" }}>
          <Nothing title={t("detail.picture.none")} />
        </div>
      )}
      <p className="dim number" style={{ margin: "6px 0" }}>
        {one ? `${word("detail", one.role)} · ${formatTime(one.utc, language)}` : null}
        {pictures.length > 1 ? ` · ${t("review.pictures", { n: pictures.length })}` : null}
        {" · "}
        {film ? t("review.clip") : t("detail.clip.none")}
      </p>
    </div>
  );
}
