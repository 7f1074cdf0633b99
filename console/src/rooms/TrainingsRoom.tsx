import { Button, Progress, Skeleton, Table, type TableColumnsType, Tag } from "antd";
import { useState } from "react";
import { Link, useSearchParams } from "react-router";
import { type Training, useTrainings } from "../api/trainings";
import { useTexts } from "../i18n";
import { More } from "../parts/More";
import { Nothing, Trouble } from "../parts/Trouble";
import { formatTime } from "../parts/time";
import { NewTrainingForm } from "./NewTrainingForm";

const COLOURS = {
  waiting: "default",
  running: "blue",
  done: "green",
  failed: "red",
  cancelled: "gold",
} as const;

/** The queue of trainings: what waits, runs and has ended. */
export function TrainingsRoom() {
  const { t } = useTexts();
  const columns = useColumns();
  const { data, error, isPending, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useTrainings();
  const [params, setParams] = useSearchParams();
  const dataset = params.get("dataset");
  const [asking, setAsking] = useState(dataset !== null);
  const close = () => {
    setAsking(false);
    setParams({}, { replace: true });
  };
  const found = data?.pages.flatMap((page) => page.trainings);
  return (
    <div className="page">
      <div className="head">
        <h1>{t("train.title")}</h1>
        <Button className="push" type="primary" onClick={() => setAsking(true)}>
          {t("train.new")}
        </Button>
      </div>
      <section className="panel">
        <p className="dim">{t("train.about")}</p>
        {isPending ? <Skeleton active /> : null}
        {error && !data ? <Trouble error={error} retry={() => void refetch()} /> : null}
        {found?.length === 0 ? <Nothing title={t("train.empty")} text={t("train.empty.how")} /> : null}
        {found?.length ? (
          <Table<Training> rowKey="id" size="small" columns={columns} dataSource={found} pagination={false} />
        ) : null}
        {hasNextPage ? <More loading={isFetchingNextPage} load={() => void fetchNextPage()} /> : null}
      </section>
      {asking ? <NewTrainingForm dataset={dataset} close={close} /> : null}
    </div>
  );
}

export function TrainingTag({ training }: { training: Training }) {
  const { t } = useTexts();
  const { state, cancel } = training;
  if (state === "running" && cancel) return <Tag color="gold">{t("train.state.ending")}</Tag>;
  return <Tag color={COLOURS[state]}>{t(`train.state.${state}`)}</Tag>;
}

export function Reached({ training }: { training: Training }) {
  const { state, step = 0, of = 0 } = training;
  if (of === 0) return <span className="dim">–</span>;
  return (
    <Progress
      percent={Math.round((100 * step) / of)}
      format={() => `${step}/${of}`}
      status={state === "running" ? "active" : state === "failed" ? "exception" : "normal"}
      size="small"
      style={{ minWidth: 140, margin: 0 }}
    />
  );
}

function useColumns(): TableColumnsType<Training> {
  const { t, language } = useTexts();
  return [
    {
      title: t("train.name"),
      render: (_, one) => (
        <Link to={`/trainings/${one.id}`}>
          #{one.id} {one.name}
        </Link>
      ),
    },
    { title: t("train.state"), render: (_, one) => <TrainingTag training={one} /> },
    { title: t("train.progress"), render: (_, one) => <Reached training={one} /> },
    {
      title: t("train.dataset"),
      render: (_, one) => (
        <Link className="mono" to={`/datasets/${one.dataset}`}>
          {one.dataset.slice(0, 12)}
        </Link>
      ),
    },
    {
      title: t("train.author"),
      render: (_, one) => `${one.author} · ${formatTime(one.created_utc, language)}`,
    },
    { title: t("train.told"), render: (_, one) => one.told || <span className="dim">–</span> },
  ];
}
