import "../map/map.css";
import { Skeleton, Switch } from "antd";
import { useDeferredValue, useEffect, useMemo, useRef, useState } from "react";
import { useSearchParams } from "react-router";
import { useRights } from "../api/access";
import { useMapData } from "../api/map";
import { useTallies } from "../api/queries";
import { useTexts } from "../i18n";
import { readFilters, readView, withFilters, writtenView } from "../map/address";
import { Atlas, type Group, groupsAt } from "../map/groups";
import { MapCanvas } from "../map/MapCanvas";
import { MapCard } from "../map/MapCard";
import { MapLegend } from "../map/MapLegend";
import { MapList } from "../map/MapList";
import { type Datum, gridsOf, hoursNotWatched, type MapFilters, type Place, placesOf } from "../map/places";
import type { Surface } from "../map/surface";
import { fitted, MAX_ZOOM, moved, toScreen, type View } from "../map/view";
import { ManySelect } from "../parts/ManySelect";
import { NotWatched } from "../parts/NotWatched";
import { Trouble } from "../parts/Trouble";
import { TYPES } from "./filters";

const STATES = ["running", "connecting", "stalled", "offline", "unknown", "disabled"];
const WRITE_MS = 400;
const NEAR = 17;
const CARD_PX = 370;

/** Where cameras stand and what goes on there. */
export function MapRoom() {
  const { t } = useTexts();
  const [params, setParams] = useSearchParams();
  const filters = readFilters(params);
  const { cameras, states, events, cases, unwatched, connected } = useMapData(filters.type);
  const error = cameras.error ?? states.error ?? events.error ?? cases.error ?? unwatched.error;
  const retry = () =>
    void Promise.all([cameras, states, events, cases, unwatched].map((one) => one.refetch()));
  if (error && !(cameras.data && states.data)) {
    return (
      <div className="page">
        <Trouble error={error} retry={retry} />
      </div>
    );
  }
  const data = cameras.data;
  return (
    <div className="map-room">
      <div className="head">
        <h1>{t("map.title")}</h1>
        <Filters
          filters={filters}
          change={(fields) =>
            setParams((before) => withFilters(before, { ...readFilters(before), ...fields }), {
              replace: true,
            })
          }
        />
        <span className="push dim state" data-testid="map-live">
          <i className={connected && !error ? "dot running" : "dot stalled"} />
          {t(connected && !error ? "events.live" : "events.live.lost")}
        </span>
      </div>
      {data && states.data && events.data ? (
        <Body
          filters={filters}
          cameras={data}
          states={states.data}
          events={events.data.events}
          cases={cases.data}
          hours={unwatched.data?.hours}
        />
      ) : (
        <Skeleton active />
      )}
    </div>
  );
}

function Filters(props: { filters: MapFilters; change: (fields: Partial<MapFilters>) => void }) {
  const { filters, change } = props;
  const { t, word } = useTexts();
  const departments = useTallies().data?.departments ?? [];
  return (
    <>
      <ManySelect
        label={t("cameras.department")}
        value={filters.department}
        change={(department) => change({ department })}
        options={departments.map((one) => ({ value: one.id, label: one.name }))}
        width={150}
      />
      <ManySelect
        label={t("events.type")}
        value={filters.type}
        change={(type) => change({ type })}
        options={TYPES.map((value) => ({ value, label: word("event", value) }))}
        width={150}
      />
      <ManySelect
        label={t("cameras.state")}
        value={filters.state}
        change={(state) => change({ state })}
        options={STATES.map((value) => ({ value, label: word("state", value) }))}
        width={150}
      />
      <span className="state">
        <Switch
          size="small"
          aria-label={t("map.busy")}
          checked={filters.busy}
          onChange={(busy) => change({ busy })}
        />
        &nbsp;{t("map.busy")}
      </span>
    </>
  );
}

type Data = ReturnType<typeof useMapData>;
interface BodyProps {
  filters: MapFilters;
  cameras: NonNullable<Data["cameras"]["data"]>;
  states: NonNullable<Data["states"]["data"]>;
  events: NonNullable<Data["events"]["data"]>["events"];
  cases: Data["cases"]["data"];
  hours: Record<string, number> | undefined;
}

function Body({ filters, cameras, states, events, cases, hours }: BodyProps) {
  const { t } = useTexts();
  const may = useRights();
  const surface = useRef<Surface | null>(null);
  const datum = cameras.tiles?.datum ?? "wgs84";
  const wanted = useDeferredValue(JSON.stringify(filters));
  const { placed, unplaced, lost } = useMemo(() => {
    const stateOf = (id: string) => states.others[id] ?? states.usual;
    const data = { cameras: cameras.cameras, stateOf, events, cases: cases?.cases ?? [] };
    const passing = JSON.parse(wanted) as MapFilters;
    return { ...placesOf(data, passing, datum), lost: hours && hoursNotWatched(data, passing, hours) };
  }, [cameras, states, events, cases, hours, wanted, datum]);
  const atlas = useMemo(() => new Atlas(placed), [placed]);
  const grids = useMemo(() => gridsOf(cameras.cameras, datum), [cameras, datum]);
  const remember = useViewInAddress(surface, placed, datum);

  const [picked, setPicked] = useState<string[]>([]);
  const all = useMemo(
    () => new Map([...placed, ...unplaced].map((place) => [place.id, place])),
    [placed, unplaced],
  );
  const shown = picked.flatMap((id) => all.get(id) ?? []);
  const choose = (place: Place) => {
    setPicked([place.id]);
    const now = surface.current?.view;
    if (now && !Number.isNaN(place.x)) {
      surface.current?.fly({ x: place.x, y: place.y, zoom: Math.max(now.zoom, NEAR) });
    }
  };
  const pick = (group: Group | null) => {
    setPicked(group ? group.places.map((place) => place.id) : []);
    const now = surface.current;
    if (!group || !now) return;
    const beside = CARD_PX - toScreen(now.view, size(), group).x;
    if (beside > 0) now.fly(moved(now.view, beside, 0)); // else the card lies upon what it is about
  };
  const size = () =>
    [surface.current?.canvas.clientWidth ?? 800, surface.current?.canvas.clientHeight ?? 600] as const;
  const apart = shown.length > 1 && separable(shown);
  return (
    <>
      <Count placed={placed} unplaced={unplaced} cases={cases} lost={lost} />
      <div className="map-body">
        <div className="map-main">
          <MapCanvas
            surface={surface}
            atlas={atlas}
            grids={grids}
            tiles={cameras.tiles}
            chosen={shown.length === 1 ? (shown[0]?.id ?? null) : null}
            pick={pick}
            moved={remember}
            fit={() => surface.current?.fly(fitted(placed, size()))}
          />
          {shown.length > 0 ? (
            <MapCard
              places={shown}
              close={() => setPicked([])}
              choose={choose}
              hours={hours}
              apart={
                apart
                  ? () => {
                      setPicked([]);
                      surface.current?.fly(fitted(shown, size(), 120, MAX_ZOOM));
                    }
                  : null
              }
            />
          ) : null}
          <MapLegend types={TYPES} cases={may("dispatch", "handle")} grids={grids.length > 0} />
        </div>
        <MapList placed={placed} unplaced={unplaced} choose={choose} />
      </div>
      <p className="sr-only">{t("map.keys")}</p>
    </>
  );
}

/** Whether the nearest view shows them apart. */
function separable(places: readonly Place[]): boolean {
  return groupsAt(places, MAX_ZOOM).length > 1;
}

/** The view is where the address says, else where everything is seen; as it moves, the address follows. */
function useViewInAddress(
  surface: React.RefObject<Surface | null>,
  placed: readonly Place[],
  datum: Datum,
): (view: View) => void {
  const [params, setParams] = useSearchParams();
  const writing = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const begun = useRef(false);
  const start = useRef({ params, placed });
  start.current = { params, placed };
  useEffect(() => {
    if (begun.current || !surface.current) return;
    const { canvas } = surface.current;
    const size = [canvas.clientWidth, canvas.clientHeight] as const;
    surface.current.go(readView(start.current.params, datum) ?? fitted(start.current.placed, size));
    begun.current = true;
  });
  useEffect(() => () => clearTimeout(writing.current), []);
  return (view) => {
    if (!begun.current) return;
    clearTimeout(writing.current);
    writing.current = setTimeout(() => {
      setParams(
        (before) => {
          const next = new URLSearchParams(before);
          next.set("at", writtenView(view, datum));
          return next;
        },
        { replace: true },
      );
    }, WRITE_MS);
  };
}

interface CountProps {
  placed: readonly Place[];
  unplaced: readonly Place[];
  cases: BodyProps["cases"];
  lost: number | undefined;
}

/** How much there is, and never without how much of it nobody watches just now, or did for a while. */
function Count(props: CountProps) {
  const { t } = useTexts();
  const all = [...props.placed, ...props.unplaced];
  const cameras = all.filter((place) => place.camera !== null);
  const blind = cameras.filter(({ state }) => state !== "running" && state !== "disabled").length;
  const events = all.flatMap((place) => place.events).reduce((sum, { count }) => sum + count, 0);
  const cases = all.reduce((sum, place) => sum + place.cases.length, 0);
  const beyond = (props.cases?.total ?? 0) - (props.cases?.cases.length ?? 0);
  return (
    <p className="number map-count" data-testid="map-count">
      {t("map.count.cameras", { n: cameras.length })}
      {" · "}
      {t("map.count.events", { n: events })}
      {props.cases ? ` · ${t("map.count.cases", { n: cases })}` : ""}
      {beyond > 0 ? <span className="warn">{t("map.count.beyond", { n: beyond })}</span> : null}
      {" · "}
      <span style={{ color: blind > 0 ? "var(--warn)" : "var(--dim)" }}>
        {t("map.count.blind", { n: blind })}
      </span>
      {props.lost === undefined ? null : (
        <>
          {" · "}
          <NotWatched hours={props.lost} lately linked />
        </>
      )}
      {props.unplaced.length > 0 ? (
        <span style={{ color: "var(--warn)" }}>
          {` · ${t("map.count.unplaced", { n: props.unplaced.length })}`}
        </span>
      ) : null}
    </p>
  );
}
