import { ArrowLeftOutlined } from "@ant-design/icons";
import { Alert, Button, Popconfirm, Skeleton } from "antd";
import { Link, useParams } from "react-router";
import { isOpen, type TrainingDetail, useCancelTraining, useTraining } from "../api/trainings";
import { useTexts } from "../i18n";
import { Curves } from "../parts/Curves";
import { Nothing, Refusal, Trouble } from "../parts/Trouble";
import { formatTime } from "../parts/time";
import { EnterVersion } from "./EnterVersion";
import { Reached, TrainingTag } from "./TrainingsRoom";

/** One training: how far it is, its curves, and what it made or why it failed. */
export function TrainingRoom() {
  const { t } = useTexts();
  const { data, error, isPending, refetch } = useTraining(Number(useParams().id));
  return (
    <div className="page">
      <div className="head">
        <Link to="/trainings" className="state">
          <ArrowLeftOutlined />
          &nbsp;{t("train.back")}
        </Link>
      </div>
      {isPending ? <Skeleton active paragraph={{ rows: 10 }} /> : null}
      {error && !data ? <Trouble error={error} retry={() => void refetch()} /> : null}
      {data ? <Shown training={data} /> : null}
    </div>
  );
}

function Shown({ training }: { training: TrainingDetail }) {
  const { t, word } = useTexts();
  const { curve, told, state } = training;
  return (
    <>
      <div className="head">
        <h1>
          #{training.id} {training.name}
        </h1>
        <TrainingTag training={training} />
        {isOpen(state) && !training.cancel ? <Cancel training={training} /> : null}
        <EnterVersion training={training} />
      </div>
      {told ? <Alert type="error" showIcon title={told} style={{ marginBottom: 12 }} /> : null}
      <section className="panel">
        <Facts training={training} />
      </section>
      <section className="panel">
        <h2>{t("train.curve")}</h2>
        {curve.length === 0 ? (
          <Nothing title={t("train.curve.none")} text={isOpen(state) ? t("train.curve.how") : undefined} />
        ) : (
          <Curves steps={curve} of={training.of ?? 0} name={(id) => word("train.figure", id)} />
        )}
      </section>
      <Made result={training.result} />
    </>
  );
}

function Facts({ training }: { training: TrainingDetail }) {
  const { t, word, language } = useTexts();
  const settings = Object.entries(training.settings).sort(([a], [b]) => a.localeCompare(b));
  return (
    <dl className="facts" data-testid="training-facts">
      <dt>{t("train.progress")}</dt>
      <dd>
        <Reached training={training} />
      </dd>
      <dt>{t("train.dataset")}</dt>
      <dd className="mono">
        <Link to={`/datasets/${training.dataset}`}>{training.dataset}</Link>
      </dd>
      <dt>{t("train.author")}</dt>
      <dd>
        {training.author} · {formatTime(training.created_utc, language)}
      </dd>
      <dt>{t("train.attempts")}</dt>
      <dd>{training.attempts}</dd>
      {training.ended_utc != null ? (
        <>
          <dt>{t("train.ended")}</dt>
          <dd>{formatTime(training.ended_utc, language)}</dd>
        </>
      ) : null}
      {training.made_with ? <MadeWith start={training.made_with} /> : null}
      <dt>{t("train.settings")}</dt>
      <dd>
        {settings.map(([name, value]) => `${word("train.setting", name)} ${String(value)}`).join(" · ")}
      </dd>
    </dl>
  );
}

/** Of the newest start. */
function MadeWith({ start }: { start: NonNullable<TrainingDetail["made_with"]> }) {
  const { t } = useTexts();
  const packages = Object.entries(start.environment).sort(([a], [b]) => a.localeCompare(b));
  return (
    <>
      <dt>{t("train.code")}</dt>
      <dd>
        <span className="mono">{start.code}</span> · {t("train.starts", { count: start.starts })}
      </dd>
      <dt>{t("train.environment")}</dt>
      <dd>{packages.map(([name, version]) => `${name} ${version}`).join(" · ")}</dd>
    </>
  );
}

/** Files in the object store, by their hash. */
function Made({ result }: { result: TrainingDetail["result"] }) {
  const { t } = useTexts();
  const files = Object.entries(result).sort(([a], [b]) => a.localeCompare(b));
  if (files.length === 0) return null;
  return (
    <section className="panel" data-testid="training-result">
      <h2>{t("train.result")}</h2>
      <dl className="facts">
        {files.map(([file, sha256]) => (
          <div key={file} style={{ display: "contents" }}>
            <dt>{file}</dt>
            <dd className="mono">{sha256}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function Cancel({ training }: { training: TrainingDetail }) {
  const { t } = useTexts();
  const cancelling = useCancelTraining(training.id);
  return (
    <>
      <Popconfirm
        title={t("train.cancel.sure", { name: training.name })}
        description={t("train.cancel.how")}
        okText={t("train.cancel")}
        cancelText={t("password.cancel")}
        onConfirm={() => cancelling.mutate()}
      >
        <Button danger className="push" loading={cancelling.isPending}>
          {t("train.cancel")}
        </Button>
      </Popconfirm>
      {cancelling.error ? <Refusal error={cancelling.error} /> : null}
    </>
  );
}
