import { ArrowLeftOutlined } from "@ant-design/icons";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Segmented, Select, Skeleton, Table, type TableColumnsType } from "antd";
import { Link, useSearchParams } from "react-router";
import { useRights } from "../api/access";
import { call, type Schemas } from "../api/client";
import { useTexts } from "../i18n";
import { useCategoryName, useDepartmentName } from "../parts/Cases";
import { NotWatched } from "../parts/NotWatched";
import { Nothing, Trouble } from "../parts/Trouble";
import { formatHours } from "../parts/time";
import "./shift.css";

type Tally = Schemas["CaseTally"];
const DIMENSIONS = [
  "day",
  "category",
  "grid",
  "handler",
  "department",
  "algorithm",
  "status",
  "source",
] as const;
type Dimension = (typeof DIMENSIONS)[number];
const DAYS = [7, 30, 90, 365] as const;
const DAY_S = 86_400;

function useTallies(by: Dimension, days: number) {
  return useQuery({
    queryKey: ["case-statistics", by, days],
    queryFn: () =>
      call("get", "/api/cases/statistics", { query: { by, since: Date.now() / 1000 - days * DAY_S } }),
    refetchInterval: 60_000,
    placeholderData: keepPreviousData,
  });
}

/** Cases in numbers: by day, grid, department, algorithm and more. */
export function CaseStatisticsRoom() {
  const { t, word } = useTexts();
  const may = useRights();
  const [params, setParams] = useSearchParams();
  const by = DIMENSIONS.find((one) => one === params.get("by")) ?? "day";
  const days = DAYS.find((one) => one === Number(params.get("days"))) ?? 30;
  const change = (name: string, value: string) => {
    const next = new URLSearchParams(params);
    next.set(name, value);
    setParams(next, { replace: true });
  };
  return (
    <div className="page">
      <div className="head">
        {may("dispatch", "handle") ? (
          <Link to="/cases">
            <ArrowLeftOutlined aria-hidden="true" /> {t("cases.back")}
          </Link>
        ) : null}
        <h1>{t("statistics.title")}</h1>
      </div>
      <div className="filters">
        <Segmented
          aria-label={t("statistics.by")}
          value={by}
          onChange={(value) => change("by", value)}
          options={DIMENSIONS.map((value) => ({ value, label: word("statistics.by", value) }))}
        />
        <Select
          aria-label={t("statistics.period")}
          value={days}
          onChange={(value) => change("days", String(value))}
          options={DAYS.map((value) => ({ value, label: t("statistics.days", { n: value }) }))}
          style={{ width: 130 }}
        />
      </div>
      <section className="panel">
        <Numbers by={by} days={days} />
      </section>
    </div>
  );
}

function Numbers({ by, days }: { by: Dimension; days: number }) {
  const { t } = useTexts();
  const { data, error, isPending, refetch } = useTallies(by, days);
  const rows = data?.rows ?? [];
  const columns = useColumns(by, Math.max(1, ...rows.map((one) => one.cases)));
  if (isPending) return <Skeleton active />;
  if (error && !data) return <Trouble error={error} retry={() => void refetch()} />;
  const sum = (of: "cases" | "late" | "closed") => rows.reduce((total, one) => total + one[of], 0);
  return (
    <>
      <p className="dim number">
        <span data-testid="statistics-sum">
          {t("statistics.sum", { cases: sum("cases"), late: sum("late"), closed: sum("closed") })}
        </span>
        {" · "}
        <NotWatched hours={data?.unwatched.hours ?? 0} linked />
      </p>
      <Table<Tally>
        rowKey="value"
        size="small"
        columns={columns}
        dataSource={rows}
        pagination={{ pageSize: 50, hideOnSinglePage: true, showSizeChanger: false }}
        locale={{ emptyText: <Nothing title={t("statistics.none")} /> }}
      />
    </>
  );
}

/** Hours that nobody watched there; a dash where nobody could say. */
function Lost({ hours }: { hours: number | null }) {
  const { t } = useTexts();
  if (hours === null) return <span className="dim">–</span>;
  return (
    <span className="number" style={{ color: hours > 0 ? "var(--warn)" : "var(--dim)" }}>
      {hours > 0 ? `${formatHours(hours)} ${t("unit.h")}` : "0"}
    </span>
  );
}

/** What a value of a dimension is called. */
function useNames(by: Dimension): (value: string) => string {
  const { t, word } = useTexts();
  const category = useCategoryName();
  const department = useDepartmentName();
  return (value) => {
    if (by === "category") return category(value);
    if (by === "status") return word("case.status", value);
    if (by === "source") return word("case.source", value);
    if (by === "algorithm") return value ? word("event", value) : t("statistics.by_hand");
    if (by === "handler" || by === "department") return value ? department(value) : t("statistics.nobody");
    return value || t("statistics.nowhere");
  };
}

function useColumns(by: Dimension, most: number): TableColumnsType<Tally> {
  const { t, word } = useTexts();
  const name = useNames(by);
  return [
    { title: word("statistics.by", by), width: 220, render: (_, one) => name(one.value) },
    {
      title: t("statistics.cases"),
      render: (_, one) => (
        <span className="bar-row">
          <b className="bar-value number">{one.cases}</b>
          <i className="bar-track" aria-hidden="true">
            <i className="bar-part" style={{ width: `${(100 * one.cases) / most}%` }} />
            <i className="bar-part late" style={{ width: `${(100 * one.late) / most}%` }} />
          </i>
        </span>
      ),
    },
    {
      title: t("statistics.late"),
      width: 100,
      render: (_, one) => <span className={one.late ? "shift-late number" : "number"}>{one.late}</span>,
    },
    {
      title: t("statistics.closed"),
      width: 100,
      render: (_, one) => <span className="number">{one.closed}</span>,
    },
    {
      title: t("statistics.unwatched"),
      width: 120,
      render: (_, one) => <Lost hours={one.unwatched_hours} />,
    },
    {
      title: t("statistics.median"),
      width: 150,
      render: (_, one) =>
        one.median_hours == null ? "–" : `${formatHours(one.median_hours)} ${t("unit.h")}`,
    },
  ];
}
