import { ArrowLeftOutlined } from "@ant-design/icons";
import { Alert, Button, Skeleton, Table, Tag } from "antd";
import { Link, useParams } from "react-router";
import { type CountRow, type DatasetDetail, useDataset } from "../api/datasets";
import { useTexts } from "../i18n";
import { Trouble } from "../parts/Trouble";
import { formatTime } from "../parts/time";
import { DatasetChanges } from "./DatasetChanges";
import "./datasets.css";

/** One version: what it holds, counted, whether it leaks, and what changed since another one. */
export function DatasetRoom() {
  const { t } = useTexts();
  const { id = "" } = useParams();
  const { data, error, isPending, refetch } = useDataset(id);
  return (
    <div className="page">
      <div className="head">
        <Link to="/datasets" className="state">
          <ArrowLeftOutlined />
          &nbsp;{t("datasets.back")}
        </Link>
      </div>
      {isPending ? <Skeleton active paragraph={{ rows: 10 }} /> : null}
      {error && !data ? <Trouble error={error} retry={() => void refetch()} /> : null}
      {data ? (
        <>
          <Facts detail={data} />
          <Statistics detail={data} />
          <DatasetChanges key={id} version={data.version} classes={data.classes} />
        </>
      ) : null}
    </div>
  );
}

function Facts({ detail }: { detail: DatasetDetail }) {
  const { t, word, language } = useTexts();
  const { version } = detail;
  return (
    <>
      <div className="head">
        <h1>{version.name}</h1>
        <Tag>{word("label.task", version.task)}</Tag>
        {version.task === "detect" ? (
          <Link className="push" to={`/trainings?dataset=${version.digest}`}>
            <Button type="primary">{t("datasets.train.new")}</Button>
          </Link>
        ) : null}
      </div>
      <section className="panel">
        <dl className="facts">
          <dt>{t("datasets.digest")}</dt>
          <dd className="mono">{version.digest}</dd>
          <dt>{t("datasets.parent")}</dt>
          <dd className="mono">
            {version.parent ? <Link to={`/datasets/${version.parent}`}>{version.parent}</Link> : "–"}
          </dd>
          <dt>{t("datasets.author")}</dt>
          <dd>
            {version.author} · {formatTime(version.created_utc, language)}
          </dd>
          {version.note ? (
            <>
              <dt>{t("datasets.note")}</dt>
              <dd>{version.note}</dd>
            </>
          ) : null}
        </dl>
        <Leakage check={detail.leakage} />
      </section>
    </>
  );
}

function Leakage({ check }: { check: DatasetDetail["leakage"] }) {
  const { t } = useTexts();
  const leaks = check.across > 0 || check.hours_across > 0;
  const told =
    check.compared === 0 ? "datasets.leakage.not" : leaks ? "datasets.leaks" : "datasets.leakage.none";
  return (
    <Alert
      data-testid="leakage"
      style={{ marginTop: 12 }}
      type={leaks ? "error" : check.compared === 0 ? "info" : "success"}
      showIcon
      title={t(told, { ...check, hours: check.hours_across })}
    />
  );
}

function Statistics({ detail }: { detail: DatasetDetail }) {
  const { t } = useTexts();
  const found = detail.statistics;
  return (
    <section className="panel" data-testid="dataset-statistics">
      <h2>{t("datasets.statistics")}</h2>
      <p className="number">
        {t("datasets.sides", { train: found.train, val: found.val, test: found.test })} ·{" "}
        {t("datasets.background", { n: found.background })} · {t("datasets.small", { n: found.small })}
      </p>
      <div className="dataset-counts">
        {(["classes", "sources", "licences", "slices", "cameras"] as const).map((key) =>
          found[key].length > 0 ? <Counts key={key} title={t(`datasets.${key}`)} rows={found[key]} /> : null,
        )}
      </div>
      {found.cameras_withheld > 0 ? (
        <p className="dim">{t("datasets.cameras.withheld", { n: found.cameras_withheld })}</p>
      ) : null}
    </section>
  );
}

function Counts({ title, rows }: { title: string; rows: CountRow[] }) {
  const { t } = useTexts();
  return (
    <Table<CountRow>
      rowKey="name"
      size="small"
      pagination={{ pageSize: 20, hideOnSinglePage: true, showSizeChanger: false }}
      dataSource={rows}
      columns={[
        { title, render: (_, one) => one.name || t("datasets.unknown") },
        ...(["train", "val", "test"] as const).map((side) => ({
          title: t(`datasets.${side}`),
          dataIndex: side,
          className: "number",
        })),
        { title: t("datasets.labels"), dataIndex: "labels", className: "number" },
      ]}
    />
  );
}
