import { ArrowLeftOutlined } from "@ant-design/icons";
import { Button, Select, Skeleton } from "antd";
import { Link, useParams, useSearchParams } from "react-router";
import type { CameraDetail } from "../api/client";
import { useCamera, useExplanation } from "../api/queries";
import { useTexts } from "../i18n";
import { MomentField } from "../parts/MomentField";
import { EventType } from "../parts/State";
import { Trouble } from "../parts/Trouble";
import { formatClock, formatDuration } from "../parts/time";
import { ExplainTimeline } from "./ExplainTimeline";
import type { Explanation } from "./explain";

const WINDOWS = [60, 120, 300, 600, 1800, 3600];

interface Question {
  at: number;
  type: string;
  zone: string | undefined;
  window: number;
}

/** Why an event came, or why none came: from an event, or for any moment of a camera. */
export function ExplainRoom() {
  const { id = "" } = useParams();
  const { t } = useTexts();
  const { data, error, isPending, refetch } = useCamera(id);
  return (
    <div className="page">
      <div className="head">
        <Link to={`/cameras/${encodeURIComponent(id)}`} className="state">
          <ArrowLeftOutlined />
          &nbsp;{t("why.back")}
        </Link>
      </div>
      {isPending ? <Skeleton active paragraph={{ rows: 12 }} /> : null}
      {error && !data ? <Trouble error={error} retry={() => void refetch()} /> : null}
      {data ? <Loaded camera={data} /> : null}
    </div>
  );
}

function Loaded({ camera }: { camera: CameraDetail }) {
  const { t } = useTexts();
  const [params, setParams] = useSearchParams();
  // A minute ago unless the address says otherwise, and kept there so that a reload asks the same.
  const at = Number(params.get("at")) || Math.floor(Date.now() / 1000) - 60;
  const question: Question = {
    at,
    type: params.get("type") ?? camera.algorithms[0] ?? "",
    zone: params.get("zone") ?? undefined,
    window: Number(params.get("window")) || 120,
  };
  const ask = (fields: Partial<Question>) => {
    const next = { ...question, ...fields };
    const wanted = { at: String(next.at), type: next.type, window: String(next.window) };
    setParams(next.zone ? { ...wanted, zone: next.zone } : wanted, { replace: true });
  };
  return (
    <>
      <div className="head">
        <h1>{t("why.title")}</h1>
        <span>{camera.name}</span>
        <span className="dim">{camera.department_name}</span>
      </div>
      <Controls camera={camera} question={question} ask={ask} />
      <Answer camera={camera} question={question} />
    </>
  );
}

function Controls(props: {
  camera: CameraDetail;
  question: Question;
  ask: (fields: Partial<Question>) => void;
}) {
  const { camera, question, ask } = props;
  const { t, word } = useTexts();
  const types = [...new Set([...camera.algorithms, "camera_health", question.type])].filter(Boolean);
  return (
    <div className="filters">
      <Select
        aria-label={t("events.type")}
        value={question.type}
        onChange={(type) => ask({ type, zone: undefined })}
        options={types.map((type) => ({ value: type, label: word("event", type) }))}
        style={{ width: 150 }}
      />
      <Select
        aria-label={t("events.zone")}
        value={question.zone ?? ""}
        onChange={(zone) => ask({ zone: zone || undefined })}
        options={[
          { value: "", label: t("why.zones.all") },
          ...camera.zones.map((zone) => ({ value: zone.id, label: zone.name || zone.id })),
        ]}
        style={{ width: 190 }}
      />
      <MomentField
        seconds
        label={t("why.at")}
        value={question.at}
        onChange={(at) => at !== null && ask({ at })}
        width={210}
      />
      <Button onClick={() => ask({ at: question.at - question.window / 2 })}>{t("why.earlier")}</Button>
      <Button onClick={() => ask({ at: question.at + question.window / 2 })}>{t("why.later")}</Button>
      <Select
        aria-label={t("why.window")}
        value={question.window}
        onChange={(window) => ask({ window })}
        options={WINDOWS.map((seconds) => ({
          value: seconds,
          label: t("why.window.n", { n: formatDuration(seconds, t) }),
        }))}
      />
    </div>
  );
}

function Answer({ camera, question }: { camera: CameraDetail; question: Question }) {
  const { t, language } = useTexts();
  const { data, error, isPending, refetch } = useExplanation(camera.id, question);
  if (isPending) return <Skeleton active paragraph={{ rows: 8 }} />;
  if (error && !data) return <Trouble error={error} retry={() => void refetch()} />;
  if (!data) return null;
  const { verdict } = data;
  const zones = new Map(camera.zones.map((zone) => [zone.id, zone.name || zone.id]));
  return (
    <>
      <section className={`panel verdict ${verdict.outcome}`} data-testid="verdict">
        <p className="verdict-text">{verdict.text[language] ?? verdict.text.en}</p>
        {verdict.event && verdict.outcome !== "failed" ? (
          <Link className="verdict-hint" to={`/events/${verdict.event}`}>
            {t("why.event")}
          </Link>
        ) : null}
        {verdict.outcome === "unknown" ? <p className="dim verdict-hint">{t("why.unknown")}</p> : null}
      </section>
      <section className="panel">
        <h2>
          <EventType type={data.type} />
          <span className="dim number"> {t("why.looks", { looks: data.looks, gated: data.gated })}</span>
        </h2>
        <ExplainTimeline found={data} zones={zones} />
      </section>
      <Looks found={data} />
    </>
  );
}

function Looks({ found }: { found: Explanation }) {
  const { t, word } = useTexts();
  if (found.seen.length === 0) return null;
  return (
    <section className="panel">
      <details>
        <summary style={{ cursor: "pointer", fontWeight: 600 }}>
          {t("why.seen", { n: found.seen.length })}
        </summary>
        <table className="why-looks number">
          <thead>
            <tr>
              <th>{t("why.at")}</th>
              <th>{t("why.reason")}</th>
              <th>{t("why.vehicles")}</th>
              <th>{t("why.people")}</th>
              <th>{t("why.senses")}</th>
            </tr>
          </thead>
          <tbody>
            {found.seen.map((one) => (
              <tr key={one.utc}>
                <td>{formatClock(one.utc)}</td>
                <td>
                  {word("gate", one.why)}
                  {one.gated ? <span className="dim"> {t("why.gated", { n: one.gated })}</span> : null}
                </td>
                <td>{one.vehicles}</td>
                <td>{one.people}</td>
                <td className="dim">
                  {Object.entries(one.senses)
                    .map(([name, value]) => `${name} ${value}`)
                    .join(" · ")}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </section>
  );
}
