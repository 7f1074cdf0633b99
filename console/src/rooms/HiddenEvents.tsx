import { Link } from "react-router";
import type { Hidden } from "../api/silences";
import { useTexts } from "../i18n";
import { EventType } from "../parts/State";
import { formatTime } from "../parts/time";

/** The events that a silence hides, or would hide: the newest first. */
export function HiddenEvents({ of }: { of: Hidden }) {
  const { t, language } = useTexts();
  const named = of.events.reduce((sum, { deliveries }) => sum + deliveries, 0);
  return (
    <>
      <ul className="hidden-events" data-testid="hidden-events">
        {of.events.map((one) => (
          <li key={one.event}>
            <EventType type={one.type} />
            <Link to={`/events/${one.event}`}>{`${one.camera_name} · ${one.zone_name}`}</Link>
            <span className="dim number nowrap">{formatTime(one.started_utc, language, false)}</span>
            {one.open ? <span className="nowrap">{t("events.ongoing")}</span> : null}
            <span className="dim number nowrap">{t("silences.deliveries", { n: one.deliveries })}</span>
          </li>
        ))}
      </ul>
      {of.count > named ? <p className="dim">{t("silences.unnamed", { n: of.count - named })}</p> : null}
    </>
  );
}
