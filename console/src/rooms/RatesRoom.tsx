import { Select, Skeleton, Table, type TableColumnsType, Tooltip } from "antd";
import { Link } from "react-router";
import { useRights } from "../api/access";
import { useUnwatched } from "../api/queries";
import { type Rate, useRates } from "../api/review";
import { type TextKey, useTexts } from "../i18n";
import { NotWatched } from "../parts/NotWatched";
import { formatShare } from "../parts/numbers";
import { EventType } from "../parts/State";
import { Nothing, Trouble } from "../parts/Trouble";
import { useStored } from "../parts/useStored";
import { ReviewTabs } from "./ReviewTabs";

const WINDOWS = [24, 168, 720];

/** How often which algorithm is wrong on which camera, by what people said. */
export function RatesRoom() {
  const { t } = useTexts();
  const [hours, setHours] = useStored("rates.hours", 720);
  const { data, error, isPending, refetch } = useRates(hours);
  const lost = useUnwatched(hours).data?.total.hours;
  const columns = useColumns();
  return (
    <div className="page">
      <div className="head">
        <ReviewTabs />
        <Select
          className="push"
          aria-label={t("events.window")}
          value={hours}
          onChange={setHours}
          options={WINDOWS.map((one) => ({ value: one, label: t(`events.window.${one}` as TextKey) }))}
        />
      </div>
      <p className="dim">
        {t("rates.about")} {lost === undefined ? null : <NotWatched hours={lost} />}
      </p>
      <section className="panel" data-testid="rates">
        {isPending ? <Skeleton active /> : null}
        {error && !data ? <Trouble error={error} retry={() => void refetch()} /> : null}
        {data ? (
          <Table<Rate>
            rowKey={(row) => `${row.camera} ${row.type}`}
            size="small"
            columns={columns}
            dataSource={data.rows}
            pagination={{ pageSize: 50, hideOnSinglePage: true, showSizeChanger: false }}
            locale={{ emptyText: <Nothing title={t("rates.empty")} text={t("rates.empty.how")} /> }}
          />
        ) : null}
      </section>
    </div>
  );
}

function useColumns(): TableColumnsType<Rate> {
  const { t } = useTexts();
  const may = useRights();
  const count = (title: TextKey, key: keyof Rate, width: number) => ({
    title: t(title),
    dataIndex: key,
    width,
    align: "right" as const,
    className: "number",
    sorter: (a: Rate, b: Rate) => Number(a[key]) - Number(b[key]),
  });
  return [
    {
      title: t("events.camera"),
      render: (_, row) =>
        may("see") ? (
          <Link to={`/cameras/${encodeURIComponent(row.camera)}`}>{row.camera_name}</Link>
        ) : (
          row.camera_name
        ),
    },
    { title: t("detail.algorithm"), width: 150, render: (_, row) => <EventType type={row.type} /> },
    count("rates.events", "events", 84),
    count("rates.judged", "judged", 92),
    count("rates.false", "false_alarms", 84),
    {
      title: t("rates.rate"),
      width: 300,
      sorter: (a, b) => (a.rate ?? -1) - (b.rate ?? -1),
      render: (_, row) => <Bar row={row} />,
    },
    {
      title: t("rates.day"),
      width: 140,
      align: "right",
      className: "number",
      sorter: (a, b) => (a.false_alarms_a_day ?? -1) - (b.false_alarms_a_day ?? -1),
      render: (_, row) => (
        <Tooltip title={t("rates.watched", { n: row.watched_days.toFixed(1) })}>
          {row.false_alarms_a_day == null ? "–" : row.false_alarms_a_day.toFixed(2)}
        </Tooltip>
      ),
    },
    count("rates.missed", "missed", 84),
  ];
}

/** The share of false alarms, with the range in which it lies at 95 %. */
function Bar({ row }: { row: Rate }) {
  const { t } = useTexts();
  const { rate, low, high } = row;
  if (rate == null || low == null || high == null) return <span className="dim">{t("rates.none")}</span>;
  const interval = t("rates.interval", { low: Math.round(low * 100), high: Math.round(high * 100) });
  return (
    <div className="rate" title={interval}>
      <span className="rate-bar" aria-hidden="true">
        <span className="rate-share" style={{ width: `${rate * 100}%` }} />
        <span className="rate-interval" style={{ left: `${low * 100}%`, width: `${(high - low) * 100}%` }} />
      </span>
      <span className="number nowrap">
        {formatShare(rate)} <span className="dim">{interval}</span>
      </span>
    </div>
  );
}
