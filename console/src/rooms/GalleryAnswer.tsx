import { Alert } from "antd";
import type { TrialOut } from "../api/gallery";
import { useTexts } from "../i18n";

/** What an algorithm said of a picture or clip, in a sentence and in pictures. */
export function GalleryAnswer({ told }: { told: TrialOut }) {
  const { t, language } = useTexts();
  const { answer, pictures } = told;
  const inside = answer.seen.filter((one) => one.in_zone).length;
  const sentence =
    answer.kind === "clip"
      ? t(answer.events.length ? "gallery.events" : "gallery.no.events", {
          n: answer.events.length,
          seconds: answer.seconds,
          looks: answer.looks,
        })
      : answer.water_share != null
        ? t("gallery.water", { share: (100 * answer.water_share).toFixed(1) })
        : t("gallery.seen", { n: answer.seen.length, inside });
  return (
    <div className="gallery-answer" data-testid="gallery-answer">
      <Alert type="info" showIcon title={sentence} description={answer.networks.join(" · ")} />
      {answer.events.map((event) => (
        <p key={event.opened}>
          <b>
            {event.started.toFixed(1)} – {event.ended == null ? "…" : event.ended.toFixed(1)} s
          </b>{" "}
          {event.reason[language] ?? event.reason.zh}
          {event.confidence == null ? null : (
            <span className="dim">
              {" "}
              · {t("gallery.confidence", { p: Math.round(100 * event.confidence) })}
            </span>
          )}
        </p>
      ))}
      <div className="gallery-pictures">
        {pictures.map((one) => (
          <img key={one.slice(0, 64) + one.length} src={`data:image/jpeg;base64,${one}`} alt={sentence} />
        ))}
      </div>
    </div>
  );
}
