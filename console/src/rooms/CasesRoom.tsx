import { BarChartOutlined, PauseCircleOutlined, PlusOutlined } from "@ant-design/icons";
import { Button, Segmented, Select, Skeleton, Switch, Table, type TableColumnsType, Tag } from "antd";
import { useState } from "react";
import { Link, useNavigate, useSearchParams } from "react-router";
import { useRights } from "../api/access";
import { type CaseFilters, useCaseBook, useCases } from "../api/cases";
import type { Case } from "../api/client";
import { useEventStream } from "../api/stream";
import { useTexts } from "../i18n";
import { CaseClock, CaseStatus, useCategoryName, useDepartmentName } from "../parts/Cases";
import { More } from "../parts/More";
import { NotWatched } from "../parts/NotWatched";
import { SeverityTag } from "../parts/State";
import { Nothing, Trouble } from "../parts/Trouble";
import { formatTime } from "../parts/time";
import { IncidentBar } from "./IncidentBar";
import { NewCase } from "./NewCase";

/** Which statuses each of the board's columns takes in. */
const GROUPS = {
  all: [],
  centre: ["accepted", "filed", "reported", "verifying"],
  handling: ["dispatched", "handling", "suspended"],
  done: ["closed", "rated", "void"],
} as const;
type Group = keyof typeof GROUPS;

function readFilters(params: URLSearchParams): CaseFilters & { group: Group } {
  const group = (params.get("group") ?? "all") as Group;
  return {
    group: group in GROUPS ? group : "all",
    state: [...(GROUPS[group] ?? [])],
    category: params.getAll("category"),
    owner: params.getAll("owner"),
    grid: params.getAll("grid"),
    source: params.getAll("source"),
    order: params.get("order") === "due" ? "due" : "newest",
    late: params.get("late") === "true" ? true : undefined,
    incident: Number(params.get("incident")) || undefined,
  };
}

/** Cases as dispatchers see them: whose turn it is, and how much time is left. */
export function CasesRoom() {
  const { t } = useTexts();
  const may = useRights();
  const [params, setParams] = useSearchParams();
  const filters = readFilters(params);
  const mayOpen = may("dispatch");
  const [opening, setOpening] = useState(false);
  const change = (name: string, values: string[]) => {
    const next = new URLSearchParams(params);
    next.delete(name);
    for (const value of values) next.append(name, value);
    setParams(next, { replace: true });
  };
  return (
    <div className="page">
      <div className="head">
        <h1>{t("cases.title")}</h1>
        {may("dispatch") ? (
          <Link className="push" to="/cases/silences">
            <PauseCircleOutlined aria-hidden="true" /> {t("case_silences.title")}
          </Link>
        ) : null}
        <Link className={may("dispatch") ? undefined : "push"} to="/cases/statistics">
          <BarChartOutlined aria-hidden="true" /> {t("statistics.title")}
        </Link>
        {mayOpen ? (
          <Button icon={<PlusOutlined />} onClick={() => setOpening(true)}>
            {t("cases.new")}
          </Button>
        ) : null}
      </div>
      {opening ? <NewCase close={() => setOpening(false)} /> : null}
      {filters.incident ? (
        <IncidentBar incident={filters.incident} leave={() => change("incident", [])} />
      ) : null}
      <div className="filters">
        <Segmented
          value={filters.group}
          onChange={(group) => change("group", group === "all" ? [] : [group])}
          options={(Object.keys(GROUPS) as Group[]).map((value) => ({
            value,
            label: t(`cases.group.${value}`),
          }))}
        />
        <Choices filters={filters} change={change} />
        <span className="state">
          <Switch
            size="small"
            aria-label={t("cases.late.only")}
            checked={filters.late === true}
            onChange={(on) => change("late", on ? ["true"] : [])}
          />
          &nbsp;{t("cases.late.only")}
        </span>
        <Select
          aria-label={t("cases.order")}
          value={filters.order}
          onChange={(order) => change("order", order === "newest" ? [] : [order])}
          options={(["newest", "due"] as const).map((value) => ({ value, label: t(`cases.order.${value}`) }))}
          style={{ width: 130 }}
        />
      </div>
      <List filters={filters} />
    </div>
  );
}

interface ChoicesProps {
  filters: CaseFilters;
  change: (name: string, values: string[]) => void;
}

/** By category, whose turn it is, grid and source; each of any of several. */
function Choices({ filters, change }: ChoicesProps) {
  const { t, word, language } = useTexts();
  const book = useCaseBook().data;
  const department = useDepartmentName();
  const owners = [...new Set([book?.centre ?? "", ...Object.keys(book?.departments ?? {})])].filter(Boolean);
  const several = { mode: "multiple" as const, maxTagCount: "responsive" as const, allowClear: true };
  return (
    <>
      <Select
        {...several}
        placeholder={t("cases.category")}
        aria-label={t("cases.category")}
        value={filters.category}
        onChange={(values) => change("category", values)}
        options={book?.categories.map((one) => ({ value: one.code, label: one.name[language] ?? one.code }))}
        style={{ width: 150 }}
      />
      <Select
        {...several}
        placeholder={t("cases.owner")}
        aria-label={t("cases.owner")}
        showSearch={{ optionFilterProp: "label" }}
        value={filters.owner}
        onChange={(values) => change("owner", values)}
        options={owners.map((value) => ({ value, label: department(value) }))}
        style={{ width: 150 }}
      />
      <Select
        {...several}
        mode="tags"
        placeholder={t("cases.grid")}
        aria-label={t("cases.grid")}
        value={filters.grid}
        onChange={(values) => change("grid", values)}
        style={{ width: 120 }}
      />
      <Select
        {...several}
        placeholder={t("cases.source")}
        aria-label={t("cases.source")}
        value={filters.source}
        onChange={(values) => change("source", values)}
        options={["event", "manual", "hotline"].map((value) => ({
          value,
          label: word("case.source", value),
        }))}
        style={{ width: 120 }}
      />
    </>
  );
}

function List({ filters }: { filters: CaseFilters }) {
  const { t } = useTexts();
  const navigate = useNavigate();
  const columns = useColumns();
  const { data, error, isPending, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } =
    useCases(filters);
  useEventStream(() => void refetch()); // an event is a case in the same transaction
  if (isPending) return <Skeleton active paragraph={{ rows: 8 }} />;
  if (error && !data) return <Trouble error={error} retry={() => void refetch()} />;
  const cases = data?.pages.flatMap((page) => page.cases) ?? [];
  const places: Record<string, string> = Object.assign({}, ...(data?.pages.map((page) => page.places) ?? []));
  return (
    <>
      <p className="dim number">
        {t("cases.count", { n: data?.pages[0]?.total ?? 0 })}
        {" · "}
        <NotWatched hours={data?.pages[0]?.unwatched.hours ?? 0} lately linked />
      </p>
      <Table<Case>
        rowKey="id"
        size="small"
        columns={columns(places)}
        dataSource={cases}
        pagination={false}
        onRow={(one) => ({ onClick: () => navigate(`/cases/${one.id}`), style: { cursor: "pointer" } })}
        locale={{ emptyText: <Nothing title={t("cases.empty")} text={t("cases.empty.how")} /> }}
      />
      {hasNextPage ? <More loading={isFetchingNextPage} load={() => void fetchNextPage()} /> : null}
    </>
  );
}

function useColumns(): (places: Record<string, string>) => TableColumnsType<Case> {
  const { t, language, word } = useTexts();
  const categoryName = useCategoryName();
  const department = useDepartmentName();
  return (places) => [
    {
      title: t("cases.number"),
      width: 90,
      render: (_, one) => (
        <Link to={`/cases/${one.id}`} className="number" onClick={(e) => e.stopPropagation()}>
          {one.id}
        </Link>
      ),
    },
    {
      title: t("cases.category"),
      width: 150,
      render: (_, one) => categoryName(one.category),
    },
    {
      title: t("cases.status"),
      width: 150,
      render: (_, one) => (
        <>
          <CaseStatus status={one.state.status} />
          {one.state.supervised ? <Tag color="error">{t("cases.supervised")}</Tag> : null}
        </>
      ),
    },
    { title: t("events.severity"), width: 88, render: (_, one) => <SeverityTag severity={one.severity} /> },
    {
      title: t("events.where"),
      render: (_, one) => (
        <>
          <div>{one.address || places[one.id] || one.camera}</div>
          <div className="dim">
            {one.grid}
            {one.incident ? (
              <Link to={`/cases?incident=${one.incident}`} onClick={(e) => e.stopPropagation()}>
                {" "}
                {t("cases.incident", { n: one.incident })}
              </Link>
            ) : null}
          </div>
        </>
      ),
    },
    {
      title: t("cases.owner"),
      width: 150,
      render: (_, one) => department(one.state.owner),
    },
    { title: t("cases.source"), width: 90, render: (_, one) => word("case.source", one.source) },
    { title: t("cases.clock"), width: 190, render: (_, one) => <CaseClock clock={one.state.clock} /> },
    {
      title: t("cases.opened"),
      width: 140,
      render: (_, one) => <span className="number nowrap">{formatTime(one.opened_utc, language)}</span>,
    },
  ];
}
