import { Skeleton, Table, type TableColumnsType, Tooltip } from "antd";
import { useState } from "react";
import { Link } from "react-router";
import type { CameraSummary, Schemas } from "../api/client";
import { useCameras, useUnwatched } from "../api/queries";
import { useTexts } from "../i18n";
import { CameraState } from "../parts/State";
import { Nothing, Trouble } from "../parts/Trouble";
import { formatHours, formatTime } from "../parts/time";

const PAGE = 50;

export function HealthRoom() {
  const { t } = useTexts();
  const [page, setPage] = useState(1);
  const { data, error, isPending, refetch } = useCameras({ sort: "worst", page, limit: PAGE });
  const columns = useCameraColumns();
  return (
    <div className="page">
      <div className="head">
        <h1>{t("health.title")}</h1>
      </div>
      <Unwatched />
      <section className="panel">
        <h2>{t("health.cameras")}</h2>
        {isPending ? <Skeleton active paragraph={{ rows: 6 }} /> : null}
        {error && !data ? <Trouble error={error} retry={() => void refetch()} /> : null}
        {data ? (
          <Table<CameraSummary>
            rowKey="id"
            size="small"
            columns={columns}
            dataSource={data.cameras}
            pagination={{
              current: data.page,
              total: data.total,
              onChange: setPage,
              pageSize: PAGE,
              hideOnSinglePage: true,
              showSizeChanger: false,
            }}
            locale={{ emptyText: <Nothing title={t("wall.empty")} text={t("wall.empty.how")} /> }}
          />
        ) : null}
      </section>
    </div>
  );
}

type Row = Schemas["UnwatchedRow"];
const DAY_H = 24;

function Unwatched() {
  const { t, word, language } = useTexts();
  const { data, error, isPending, refetch } = useUnwatched(DAY_H);
  if (isPending) return <Skeleton active className="panel" />;
  if (error && !data) return <Trouble error={error} retry={() => void refetch()} />;
  if (!data) return null;
  const columns: TableColumnsType<Row> = [
    {
      title: t("events.camera"),
      width: 240,
      render: (_, row) => <Link to={`/cameras/${encodeURIComponent(row.camera)}`}>{row.camera_name}</Link>,
    },
    {
      title: t("detail.algorithm"),
      width: 130,
      render: (_, row) => (row.algorithm === "*" ? t("health.algorithm.all") : word("event", row.algorithm)),
    },
    {
      title: t("health.unwatched.hours"),
      width: 110,
      render: (_, row) => <span className="number">{t("health.hours", { h: formatHours(row.hours) })}</span>,
    },
    { title: "", width: 280, render: (_, row) => <Bar row={row} /> },
    {
      title: t("health.reason"),
      render: (_, row) => (
        <>
          {Object.entries(row.by_reason)
            .map(
              ([reason, hours]) =>
                `${word("health.reason", reason)} ${t("health.hours", { h: formatHours(hours) })}`,
            )
            .join(" · ")}
          {row.ongoing_since_utc ? (
            <span style={{ color: "var(--warn)" }}>
              {" · "}
              {t("health.ongoing", { time: formatTime(row.ongoing_since_utc, language, false) })}
            </span>
          ) : null}
        </>
      ),
    },
  ];
  return (
    <section className="panel" data-testid="unwatched">
      <h2>
        {t("health.unwatched.total")}{" "}
        <Tooltip title={t("events.unwatched.why")}>
          <span className="number" style={{ color: data.total.hours > 0 ? "var(--warn)" : "var(--good)" }}>
            {t("health.hours", { h: formatHours(data.total.hours) })}
          </span>
        </Tooltip>
      </h2>
      {data.rows.length > 0 ? (
        <Table<Row>
          rowKey={(row) => `${row.camera} ${row.algorithm}`}
          size="small"
          columns={columns}
          dataSource={data.rows}
          pagination={{ pageSize: 10, hideOnSinglePage: true, showSizeChanger: false }}
        />
      ) : (
        <span className="dim">{t("health.unwatched.none")}</span>
      )}
    </section>
  );
}

/** The share of the day that was not watched, by reason. */
function Bar({ row }: { row: Row }) {
  let left = 0;
  return (
    <div className="day" aria-hidden="true">
      {Object.entries(row.by_reason).map(([reason, hours]) => {
        const start = left;
        left += (hours / DAY_H) * 100;
        return (
          <i
            key={reason}
            className={reason}
            style={{ left: `${start}%`, width: `${(hours / DAY_H) * 100}%` }}
          />
        );
      })}
    </div>
  );
}

function useCameraColumns(): TableColumnsType<CameraSummary> {
  const { t, language } = useTexts();
  const number = (value: number, digits = 0) => (value ? value.toFixed(digits) : "–");
  return [
    {
      title: t("cameras.name"),
      className: "nowrap",
      render: (_, camera) => <Link to={`/cameras/${encodeURIComponent(camera.id)}`}>{camera.name}</Link>,
    },
    {
      title: t("cameras.state"),
      width: 100,
      render: (_, camera) => <CameraState state={camera.status.state} />,
    },
    {
      title: t("camera.stream"),
      width: 170,
      render: (_, { status }) => (status.codec ? `${status.codec} ${status.width}×${status.height}` : "–"),
    },
    { title: t("health.fps"), width: 80, align: "right", render: (_, { status }) => number(status.fps, 1) },
    {
      title: t("health.bitrate"),
      width: 110,
      align: "right",
      render: (_, { status }) => (status.kbit_s ? `${Math.round(status.kbit_s)} kbit/s` : "–"),
    },
    {
      title: t("camera.looks"),
      width: 76,
      align: "right",
      dataIndex: ["status", "looks"],
      className: "number",
    },
    {
      title: <Tooltip title={t("camera.looks.lost")}>{t("health.lost")}</Tooltip>,
      width: 112,
      align: "right",
      render: (_, { status }) => (
        <span className="number">
          {status.looks_superseded} / {status.looks_shed} / {status.looks_gated}
        </span>
      ),
    },
    { title: t("camera.reconnects"), width: 100, align: "right", dataIndex: ["status", "reconnects"] },
    {
      title: t("camera.last_look"),
      width: 140,
      render: (_, { status }) =>
        status.last_look_utc ? (
          <span className="nowrap">{formatTime(status.last_look_utc, language)}</span>
        ) : (
          "–"
        ),
    },
    {
      title: t("health.error"),
      minWidth: 110,
      render: (_, { status }) => (
        <span className="dim">
          {status.clock_wrong_s ? `${t("health.clock_wrong", { s: status.clock_wrong_s.toFixed(0) })} ` : ""}
          {status.error}
        </span>
      ),
    },
  ];
}
