import { ArrowLeftOutlined } from "@ant-design/icons";
import { Skeleton, Timeline } from "antd";
import { useState } from "react";
import { Link, useParams } from "react-router";
import { useRights } from "../api/access";
import type { EventDetail, Schemas } from "../api/client";
import { useEvent } from "../api/queries";
import { useTexts } from "../i18n";
import { describeNumber, formatShare, inOrder } from "../parts/numbers";
import { EventState, EventType, SeverityTag } from "../parts/State";
import { Trouble } from "../parts/Trouble";
import { formatDuration, formatTime } from "../parts/time";
import { Acknowledgements } from "./Acknowledgements";
import { Custody } from "./Custody";
import { EventMedia } from "./EventMedia";
import { EvidencePackage } from "./EvidencePackage";
import { Holds } from "./Holds";
import { Verdicts } from "./Verdicts";

export function EventRoom() {
  const { id = "" } = useParams();
  const { t } = useTexts();
  const { data, error, isPending, refetch } = useEvent(id);
  return (
    <div className="page">
      <div className="head">
        <Link to="/events" className="state">
          <ArrowLeftOutlined />
          &nbsp;{t("detail.back")}
        </Link>
      </div>
      {isPending ? <Skeleton active paragraph={{ rows: 12 }} /> : null}
      {error && !data ? <Trouble error={error} retry={() => void refetch()} /> : null}
      {data ? <Detail event={data} /> : null}
    </div>
  );
}

function Detail({ event }: { event: EventDetail }) {
  const may = useRights();
  return (
    <div className="detail">
      <EventMedia event={event} />
      <div>
        <Why event={event} />
        <Acknowledgements event={event} />
        <Verdicts event={event.id} />
        <Course event={event} />
        <Provenance event={event} />
        {may("unmask") ? <EvidencePackage event={event} /> : null}
        {event.evidence.length > 0 ? <Holds about={{ event: event.id }} /> : null}
        {event.evidence.length > 0 ? <Custody about={{ event: event.id }} /> : null}
      </div>
    </div>
  );
}

/** The page that explains the moment in which the event opened. */
function whyAddress(event: EventDetail): string {
  const opened = event.transitions[0]?.utc ?? event.started_utc;
  const asked = new URLSearchParams({ at: String(opened), type: event.type, zone: event.zone });
  return `/cameras/${encodeURIComponent(event.camera)}/why?${asked}`;
}

function Why({ event }: { event: EventDetail }) {
  const { t, language, word } = useTexts();
  const { subject } = event;
  return (
    <section className="panel">
      <div className="head">
        <h1 style={{ margin: 0 }}>
          <EventType type={event.type} objectClass={event.object_class} />
        </h1>
        <EventState state={event.state} />
        <SeverityTag severity={event.severity} />
        <Link className="push" to={whyAddress(event)}>
          {t("why.event.why")}
        </Link>
      </div>
      <p className="why">{event.reason[language] ?? event.reason.en}</p>
      <div className="numbers" style={{ marginBottom: 14 }}>
        {inOrder(event.numbers).map(([key, value]) => {
          const shown = describeNumber(key, value, language);
          return (
            <div key={key}>
              <b>{shown.value}</b>
              <span className="unit">{shown.name}</span>
            </div>
          );
        })}
      </div>
      <dl className="facts">
        <dt>{t("events.where")}</dt>
        <dd>
          <Link to={`/cameras/${encodeURIComponent(event.camera)}`}>{event.camera_name}</Link> ·{" "}
          {event.zone_name || t("events.zone.whole")}
          <span className="dim"> · {event.department_name}</span>
        </dd>
        <dt>{t("events.started")}</dt>
        <dd>{formatTime(event.started_utc, language)}</dd>
        <dt>{t(event.ended_utc ? "events.ended" : "events.duration")}</dt>
        <dd>
          {event.ended_utc
            ? `${formatTime(event.ended_utc, language)} (${formatDuration(event.ended_utc - event.started_utc, t)})`
            : t("events.ongoing")}
        </dd>
        {event.confidence !== null ? (
          <>
            <dt>{t("events.confidence")}</dt>
            <dd data-testid="confidence">{formatShare(event.confidence)}</dd>
          </>
        ) : null}
        {(subject.object_class && event.type !== "camera_health") || subject.track ? (
          <>
            <dt>{t("detail.subject")}</dt>
            <dd>
              {subject.object_class ? word("class", subject.object_class) : ""}
              {subject.track ? (
                <span className="dim"> · {t("detail.track", { n: subject.track })}</span>
              ) : null}
            </dd>
          </>
        ) : null}
        {subject.plate == null ? null : (
          <>
            <dt>{t("detail.plate")}</dt>
            <dd>
              {subject.plate || t("detail.plate.unreadable")}
              {subject.plate && subject.plate_score != null ? (
                <span className="dim">
                  {" "}
                  · {t("detail.plate.sure", { n: Math.round(subject.plate_score * 100) })}
                </span>
              ) : null}
            </dd>
          </>
        )}
      </dl>
    </section>
  );
}

const COLOURS: Record<string, string> = { opened: "red", updated: "blue", closed: "gray" };

function Course({ event }: { event: EventDetail }) {
  const { t } = useTexts();
  const items = event.transitions.map((step) => ({
    key: String(step.seq),
    color: COLOURS[step.transition] ?? "blue",
    content: <Step step={step} />,
  }));
  return (
    <section className="panel">
      <h2>{t("detail.timeline")}</h2>
      <Timeline items={items} />
    </section>
  );
}

function Step({ step }: { step: Schemas["TransitionOut"] }) {
  const { language, word } = useTexts();
  const brought = step.evidence.map((one) => word("detail", one.role)).join(" · ");
  return (
    <div data-testid="transition">
      <div>
        {word("transition", step.transition)}{" "}
        <span className="dim number">{formatTime(step.utc, language)}</span>
      </div>
      <div className="dim">{step.reason[language] ?? step.reason.en}</div>
      {brought ? <div className="dim">+ {brought}</div> : null}
    </div>
  );
}

function Provenance({ event }: { event: EventDetail }) {
  const { t, word } = useTexts();
  const [open, setOpen] = useState(false);
  const { provenance } = event;
  const rows: [string, string][] = [
    [t("detail.algorithm"), `${word("event", provenance.algorithm)} ${provenance.algorithm_version}`],
    [t("detail.model"), provenance.model],
    [t("detail.model.sha"), provenance.model_sha256],
    [t("detail.dataset"), provenance.dataset_version],
    [t("detail.config"), provenance.config_digest],
    [
      t("detail.clock"),
      `${word("detail.clock", event.clock_source)} · ${t("detail.error", { ms: Math.round(event.clock_error_ms) })}`,
    ],
    [t("detail.id"), event.id],
    ...event.evidence.map((one): [string, string] => [
      `${word("detail", one.role)} ${t("detail.sha")}`,
      one.sha256,
    ]),
  ];
  return (
    <section className="panel">
      <details open={open} onToggle={(e) => setOpen(e.currentTarget.open)}>
        <summary style={{ cursor: "pointer", fontWeight: 600 }}>{t("detail.provenance")}</summary>
        <dl className="facts" style={{ marginTop: 10 }}>
          {rows
            .filter(([, value]) => value)
            .map(([name, value]) => (
              <Row key={name} name={name} value={value} />
            ))}
        </dl>
      </details>
    </section>
  );
}

function Row({ name, value }: { name: string; value: string }) {
  return (
    <>
      <dt>{name}</dt>
      <dd className={/^[0-9a-f]{16,}$/.test(value) ? "mono" : undefined}>{value}</dd>
    </>
  );
}
