import { Skeleton } from "antd";
import { useState } from "react";
import { Link } from "react-router";
import type { EventSummary } from "../api/client";
import { NO_FILTERS, useEvents } from "../api/queries";
import { useEventStream } from "../api/stream";
import { useTexts } from "../i18n";
import { EventState, EventType } from "../parts/State";
import { Thumb } from "../parts/Thumb";
import { Nothing } from "../parts/Trouble";
import { formatTime } from "../parts/time";
import { merge } from "./arrivals";

const RECENT = { ...NO_FILTERS, hours: 0 };
const OPEN = { ...NO_FILTERS, hours: 0, state: "open" as const };
const SHOWN = 20;

/** Ids of the cameras with an event going on. */
export function useOpenAlarms(): Set<string> {
  const { data } = useEvents(OPEN, 200);
  const [arrived, setArrived] = useState<EventSummary[]>([]);
  useEventStream((message) => setArrived((known) => merge(known, [message.summary]).slice(0, 400)));
  const events = merge(data?.pages.flatMap((page) => page.events) ?? [], arrived);
  return new Set(events.filter((event) => event.state === "open").map((event) => event.camera));
}

/** The newest events beside the wall, updated as they arrive. */
export function LatestEvents() {
  const { t, language } = useTexts();
  const { data, isPending } = useEvents(RECENT, SHOWN);
  const [arrived, setArrived] = useState<EventSummary[]>([]);
  useEventStream((message) => setArrived((known) => merge(known, [message.summary]).slice(0, SHOWN)));
  const events = merge(data?.pages[0]?.events ?? [], arrived).slice(0, SHOWN);
  const fresh = new Set(arrived.map((event) => event.id));
  return (
    <aside className="panel latest" aria-label={t("wall.latest")}>
      <h2>
        {t("wall.latest")}
        <Link to="/events">{t("wall.latest.all")}</Link>
      </h2>
      {isPending ? <Skeleton active style={{ padding: 14 }} /> : null}
      {!isPending && events.length === 0 ? <Nothing title="" text={t("wall.latest.empty")} /> : null}
      <ul>
        {events.map((event) => (
          <li key={event.id} className={fresh.has(event.id) ? "fresh" : undefined}>
            <Link to={`/events/${event.id}`}>
              <Thumb src={event.picture} alt="" />
              <div style={{ minWidth: 0 }}>
                <EventType type={event.type} />
                <div className="line">{event.camera_name}</div>
                <div className="latest-when">
                  <span className="line number">{formatTime(event.started_utc, language)}</span>
                  <EventState state={event.state} />
                </div>
              </div>
            </Link>
          </li>
        ))}
      </ul>
    </aside>
  );
}
