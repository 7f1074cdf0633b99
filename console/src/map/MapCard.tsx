import { CloseOutlined, ZoomInOutlined } from "@ant-design/icons";
import { Button, Tag } from "antd";
import { Link } from "react-router";
import { useDepartmentNames } from "../api/access";
import { useTexts } from "../i18n";
import { CaseStatus, useCategoryName } from "../parts/Cases";
import { NotWatched } from "../parts/NotWatched";
import { CameraState, EventType, SeverityTag } from "../parts/State";
import { formatTime } from "../parts/time";
import type { MapCase, OpenEvents, Place } from "./places";

const LISTED = 40;

interface Props {
  places: readonly Place[];
  close: () => void;
  choose: (place: Place) => void;
  /** in which nobody watched each camera lately; undefined while that is not known */
  hours: Record<string, number> | undefined;
  /** shows them apart from each other */
  apart: (() => void) | null;
}

/** What was clicked on: one place, or several that lie upon each other. */
export function MapCard({ places, close, choose, hours, apart }: Props) {
  const { t } = useTexts();
  const [one] = places;
  if (!one) return null;
  const several = places.length > 1;
  const sorted = several ? [...places].sort((a, b) => open(b) - open(a)) : [];
  return (
    <section className="map-card panel" data-testid="map-card" aria-label={t("map.card")}>
      <div className="map-card-head">
        <h2>{several ? t("map.card.several", { n: places.length }) : one.name}</h2>
        <Button
          type="text"
          size="small"
          icon={<CloseOutlined />}
          aria-label={t("map.close")}
          onClick={close}
        />
      </div>
      {hours && places.some(({ camera }) => camera) ? (
        <p>
          <NotWatched hours={places.reduce((sum, { id }) => sum + (hours[id] ?? 0), 0)} lately linked />
        </p>
      ) : null}
      {several ? (
        <>
          {apart ? (
            <Button size="small" icon={<ZoomInOutlined />} onClick={apart}>
              {t("map.apart")}
            </Button>
          ) : null}
          <ul className="map-list">
            {sorted.slice(0, LISTED).map((place) => (
              <PlaceLine key={place.id} place={place} choose={choose} />
            ))}
          </ul>
          {sorted.length > LISTED ? (
            <p className="dim">{t("map.more", { n: sorted.length - LISTED })}</p>
          ) : null}
        </>
      ) : (
        <Details place={one} />
      )}
    </section>
  );
}

function open(place: Place): number {
  return place.events.reduce((sum, { count }) => sum + count, 0) + place.cases.length;
}

/** One line of a list of places: its name, its state, and how much is open there. */
export function PlaceLine({ place, choose }: { place: Place; choose: (place: Place) => void }) {
  const { t } = useTexts();
  const events = place.events.reduce((sum, { count }) => sum + count, 0);
  return (
    <li>
      <button type="button" className="map-line" onClick={() => choose(place)}>
        <span className="map-line-name">{place.name}</span>
        {events > 0 ? <Tag color="orange">{t("map.events", { n: events })}</Tag> : null}
        {place.cases.length > 0 ? (
          <Tag color={place.cases.some((one) => one.late) ? "red" : "default"}>
            {t("map.cases", { n: place.cases.length })}
          </Tag>
        ) : null}
        {place.state === null ? null : <CameraState state={place.state} short />}
      </button>
    </li>
  );
}

/** All that the map knows of one place. */
export function Details({ place }: { place: Place }) {
  const { t } = useTexts();
  const names = useDepartmentNames();
  const { camera } = place;
  return (
    <>
      {camera ? (
        <dl className="facts">
          <dt>{t("cameras.state")}</dt>
          <dd>{place.state ? <CameraState state={place.state} /> : null}</dd>
          <dt>{t("cameras.department")}</dt>
          <dd>{names[camera.department] ?? camera.department}</dd>
          {camera.grid ? (
            <>
              <dt>{t("map.grid")}</dt>
              <dd>{camera.grid}</dd>
            </>
          ) : null}
          <dt>{t("map.position")}</dt>
          <dd>
            {camera.lat === null || camera.lon === null
              ? t("map.position.none")
              : `${camera.lat.toFixed(5)}, ${camera.lon.toFixed(5)}`}
          </dd>
        </dl>
      ) : (
        <p className="dim">{t("map.stranger")}</p>
      )}
      {place.events.map((one) => (
        <EventLine key={one.type} events={one} />
      ))}
      {place.cases.map((one) => (
        <CaseLine key={one.id} one={one} />
      ))}
      {place.events.length + place.cases.length === 0 ? <p className="dim">{t("map.quiet")}</p> : null}
      {camera ? (
        <Link to={`/cameras/${encodeURIComponent(camera.id)}`} data-testid="map-camera">
          {t("map.camera")}
        </Link>
      ) : null}
    </>
  );
}

function EventLine({ events }: { events: OpenEvents }) {
  const { t, language } = useTexts();
  const all = new URLSearchParams({ camera: events.camera, type: events.type, state: "open", hours: "0" });
  return (
    <div className="map-open">
      <EventType type={events.type} />
      <SeverityTag severity={events.severity} />
      <Link to={`/events/${events.newest}`} data-testid="map-event">
        {t(events.count > 1 ? "map.event.newest" : "map.event")}
      </Link>
      {events.count > 1 ? <Link to={`/events?${all}`}>{t("map.event.all", { n: events.count })}</Link> : null}
      <div className="dim number">
        {t("map.since", { time: formatTime(events.since_utc, language, false) })}
      </div>
    </div>
  );
}

function CaseLine({ one }: { one: MapCase }) {
  const { t } = useTexts();
  const category = useCategoryName();
  return (
    <div className="map-open">
      <Link to={`/cases/${one.id}`} data-testid="map-case">
        {t("map.case", { n: one.id })}
      </Link>
      <span>{category(one.category)}</span>
      <CaseStatus status={one.status} />
      {one.late ? <Tag color="error">{t("map.late")}</Tag> : null}
    </div>
  );
}
