import { Link } from "react-router";
import type { EventSummary } from "../api/client";
import { useTexts } from "../i18n";
import { describeNumber, formatShare, inOrder } from "../parts/numbers";
import { EventState, EventType, SeverityTag } from "../parts/State";
import { formatDuration, formatTime } from "../parts/time";

interface Props {
  event: EventSummary;
  /** it was judged before, and taken back */
  before: boolean;
  place: string;
}

/** What the algorithm says of the event, in as few words as judging it takes. */
export function ReviewFacts({ event, before, place }: Props) {
  const { t, language } = useTexts();
  return (
    <section className="panel">
      <div className="head" style={{ marginBottom: 8 }}>
        <h1 style={{ margin: 0 }}>
          <EventType type={event.type} objectClass={event.object_class} />
        </h1>
        <EventState state={event.state} />
        <SeverityTag severity={event.severity} />
        <Link className="push number" to={`/events/${event.id}`}>
          {place}
        </Link>
      </div>
      {before ? <p style={{ color: "var(--warn)", margin: "0 0 8px" }}>{t("review.again")}</p> : null}
      <p style={{ margin: "0 0 8px" }}>
        {event.camera_name} · {event.zone_name || t("events.zone.whole")}
        <span className="dim"> · {event.department_name}</span>
        <br />
        <span className="number dim">
          {formatTime(event.started_utc, language)} ·{" "}
          {event.ended_utc ? formatDuration(event.ended_utc - event.started_utc, t) : t("events.ongoing")}
          {event.confidence === null ? null : ` · ${t("events.confidence")} ${formatShare(event.confidence)}`}
        </span>
      </p>
      <p style={{ margin: "0 0 8px" }}>{event.reason[language] ?? event.reason.en}</p>
      <p className="dim number" style={{ margin: 0 }}>
        {inOrder(event.numbers)
          .slice(0, 6)
          .map(([key, value]) => {
            const shown = describeNumber(key, value, language);
            return `${shown.name} ${shown.value}`;
          })
          .join(" · ")}
      </p>
    </section>
  );
}
