import { Link } from "react-router";
import type { CasesHidden } from "../api/caseSilences";
import { useTexts } from "../i18n";
import { EventType } from "../parts/State";
import { formatTime } from "../parts/time";

/** The events of which a silence makes no cases, or would: the newest first. */
export function UncasedEvents({ of }: { of: CasesHidden }) {
  const { t, language } = useTexts();
  const beyond = of.count - of.events.length;
  return (
    <>
      <ul className="hidden-events" data-testid="hidden-events">
        {of.events.map((one) => (
          <li key={one.event}>
            <EventType type={one.type} />
            <Link to={`/events/${one.event}`}>{`${one.camera_name} · ${one.zone_name}`}</Link>
            <span className="dim number nowrap">{formatTime(one.started_utc, language, false)}</span>
            {one.open ? <span className="nowrap">{t("events.ongoing")}</span> : null}
            {one.case == null ? null : (
              <Link className="nowrap" to={`/cases/${one.case}`}>
                {t("case_silences.case", { n: one.case })}
              </Link>
            )}
          </li>
        ))}
      </ul>
      {beyond > 0 ? <p className="dim">{t("case_silences.beyond", { n: beyond })}</p> : null}
    </>
  );
}
