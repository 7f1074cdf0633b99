import { Button, Select, Skeleton, Table, type TableColumnsType, Tooltip } from "antd";
import { useState } from "react";
import { Link, useNavigate, useSearchParams } from "react-router";
import type { EventSummary } from "../api/client";
import { type EventFilters, useEventCounts, useEvents, useTallies } from "../api/queries";
import { useEventStream } from "../api/stream";
import { type TextKey, useTexts } from "../i18n";
import { CameraSelect } from "../parts/CameraSelect";
import { ManySelect } from "../parts/ManySelect";
import { More } from "../parts/More";
import { formatShare } from "../parts/numbers";
import { EventState, EventType, SeverityTag } from "../parts/State";
import { Thumb } from "../parts/Thumb";
import { Nothing, Trouble } from "../parts/Trouble";
import { formatDuration, formatHours, formatTime } from "../parts/time";
import { matches, merge } from "./arrivals";
import { readFilters, SEVERITIES, TYPES, WINDOWS, writeFilters } from "./filters";

export function EventsRoom() {
  const { t } = useTexts();
  const [params, setParams] = useSearchParams();
  const filters = readFilters(params);
  const change = (fields: Partial<EventFilters>) =>
    setParams(writeFilters({ ...filters, ...fields }), { replace: true });
  return (
    <div className="page">
      <div className="head">
        <h1>{t("events.title")}</h1>
        <Count filters={filters} />
        <LiveMark />
      </div>
      <Filters filters={filters} change={change} clear={() => setParams({}, { replace: true })} />
      <List key={params.toString()} filters={filters} />
    </div>
  );
}

function LiveMark() {
  const { t } = useTexts();
  const connected = useEventStream();
  return (
    <span className="push dim state" data-testid="stream-state" data-connected={connected}>
      <i className={connected ? "dot running" : "dot stalled"} />
      {t(connected ? "events.live" : "events.live.lost")}
    </span>
  );
}

/** How many events, and how much nobody watched: never one without the other. */
function Count({ filters }: { filters: EventFilters }) {
  const { t } = useTexts();
  const { data } = useEventCounts(filters);
  if (!data) return null;
  const { hours } = data.unwatched;
  return (
    <span className="number">
      {t("events.count", { n: data.total })}
      {data.open > 0 && filters.state === null ? (
        <span className="dim">{` · ${t("events.count.open", { n: data.open })}`}</span>
      ) : null}
      {" · "}
      <Tooltip title={t("events.unwatched.why")}>
        <Link to="/health" style={{ color: hours > 0 ? "var(--warn)" : "var(--dim)" }}>
          {hours > 0 ? t("events.unwatched", { h: formatHours(hours) }) : t("events.unwatched.none")}
        </Link>
      </Tooltip>
    </span>
  );
}

interface FiltersProps {
  filters: EventFilters;
  change: (fields: Partial<EventFilters>) => void;
  clear: () => void;
}

function Filters({ filters, change, clear }: FiltersProps) {
  const { t, word } = useTexts();
  const departments = useTallies().data?.departments ?? [];
  return (
    <div className="filters">
      <Select
        aria-label={t("events.window")}
        value={filters.hours}
        onChange={(hours) => change({ hours })}
        options={WINDOWS.map((hours) => ({ value: hours, label: t(`events.window.${hours}` as TextKey) }))}
      />
      <ManySelect
        label={t("events.type")}
        value={filters.type}
        change={(type) => change({ type })}
        options={TYPES.map((type) => ({ value: type, label: word("event", type) }))}
        width={160}
      />
      <CameraSelect
        value={filters.camera}
        onChange={(camera) => change({ camera })}
        placeholder={t("events.camera")}
        width={220}
      />
      <ManySelect
        label={t("events.department")}
        value={filters.department}
        change={(department) => change({ department })}
        options={departments.map((one) => ({ value: one.id, label: one.name }))}
        width={160}
      />
      <Select
        aria-label={t("events.state")}
        placeholder={t("events.state")}
        allowClear
        value={filters.state}
        onChange={(state) => change({ state: state ?? null })}
        options={(["open", "closed"] as const).map((value) => ({ value, label: word("event.state", value) }))}
      />
      <Select
        mode="multiple"
        aria-label={t("events.severity")}
        placeholder={t("events.severity")}
        allowClear
        value={filters.severity}
        onChange={(severity) => change({ severity })}
        options={SEVERITIES.map((value) => ({ value, label: word("severity", value) }))}
      />
      <Button type="text" onClick={clear}>
        {t("events.clear")}
      </Button>
    </div>
  );
}

function List({ filters }: { filters: EventFilters }) {
  const { t } = useTexts();
  const navigate = useNavigate();
  const columns = useColumns();
  const { data, error, isPending, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } =
    useEvents(filters);
  const [arrived, setArrived] = useState<EventSummary[]>([]);
  useEventStream((message) => setArrived((known) => merge(known, [message.summary])));

  if (isPending) return <Skeleton active paragraph={{ rows: 8 }} />;
  if (error && !data) return <Trouble error={error} retry={() => void refetch()} />;
  const events = merge(data?.pages.flatMap((page) => page.events) ?? [], arrived).filter((e) =>
    matches(e, filters),
  );
  const fresh = new Set(arrived.map((event) => event.id));
  return (
    <>
      <Table<EventSummary>
        rowKey="id"
        size="small"
        columns={columns}
        dataSource={events}
        pagination={false}
        rowClassName={(event) => (fresh.has(event.id) ? "fresh" : "")}
        onRow={(event) => ({ onClick: () => navigate(`/events/${event.id}`), style: { cursor: "pointer" } })}
        locale={{ emptyText: <Nothing title={t("events.empty")} text={t("events.empty.how")} /> }}
      />
      {hasNextPage ? <More loading={isFetchingNextPage} load={() => void fetchNextPage()} /> : null}
    </>
  );
}

function useColumns(): TableColumnsType<EventSummary> {
  const { t, language } = useTexts();
  return [
    {
      title: "",
      width: 132,
      render: (_, event) => (
        <div style={{ width: 112 }}>
          <Thumb src={event.picture} alt="" />
        </div>
      ),
    },
    {
      title: t("events.what"),
      width: 150,
      render: (_, event) => (
        <Link to={`/events/${event.id}`} style={{ color: "inherit" }} onClick={(e) => e.stopPropagation()}>
          <EventType type={event.type} objectClass={event.object_class} />
        </Link>
      ),
    },
    { title: t("events.state"), width: 92, render: (_, event) => <EventState state={event.state} /> },
    {
      title: t("events.severity"),
      width: 88,
      render: (_, event) => <SeverityTag severity={event.severity} />,
    },
    {
      title: t("events.confidence"),
      width: 76,
      render: (_, event) => <span className="number">{formatShare(event.confidence)}</span>,
    },
    {
      title: t("events.where"),
      width: 220,
      render: (_, event) => (
        <>
          <div>{event.camera_name}</div>
          <div className="dim">
            {event.zone_name || t("events.zone.whole")} · {event.department_name}
          </div>
        </>
      ),
    },
    {
      title: t("events.reason"),
      render: (_, event) => <div className="reason">{event.reason[language] ?? event.reason.en ?? ""}</div>,
    },
    {
      title: t("events.started"),
      width: 150,
      render: (_, event) => <span className="number nowrap">{formatTime(event.started_utc, language)}</span>,
    },
    {
      title: t("events.duration"),
      width: 110,
      render: (_, event) => (
        <span className="number nowrap">
          {event.ended_utc ? formatDuration(event.ended_utc - event.started_utc, t) : t("events.ongoing")}
        </span>
      ),
    },
  ];
}
