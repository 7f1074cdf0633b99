import { ArrowLeftOutlined } from "@ant-design/icons";
import { Button, Skeleton } from "antd";
import { useState } from "react";
import { Link, useParams } from "react-router";
import { useRights } from "../api/access";
import { useCase, useCaseEvent } from "../api/cases";
import type { CaseDetail, Schemas } from "../api/client";
import { useCamera } from "../api/queries";
import { useTexts } from "../i18n";
import { CaseClock, CaseStatus, useCategoryName, useDepartmentName } from "../parts/Cases";
import { SeverityTag } from "../parts/State";
import { Thumb } from "../parts/Thumb";
import { Trouble } from "../parts/Trouble";
import { formatTime } from "../parts/time";
import { CaseAction } from "./CaseAction";
import { CaseHistory } from "./CaseHistory";
import { Custody } from "./Custody";
import { Holds } from "./Holds";

type Action = Schemas["Action"];

const MOST_EVENTS = 20;

export function CaseRoom() {
  const { id = "" } = useParams();
  const { t } = useTexts();
  const { data, error, isPending, refetch } = useCase(Number(id));
  return (
    <div className="page">
      <div className="head">
        <Link to="/cases" className="state">
          <ArrowLeftOutlined />
          &nbsp;{t("cases.back")}
        </Link>
      </div>
      {isPending ? <Skeleton active paragraph={{ rows: 12 }} /> : null}
      {error && !data ? <Trouble error={error} retry={() => void refetch()} /> : null}
      {data ? <Detail detail={data} /> : null}
    </div>
  );
}

function Detail({ detail }: { detail: CaseDetail }) {
  const mayHold = useRights()("hold");
  return (
    <div className="detail">
      <div>
        <Facts detail={detail} />
        <Events detail={detail} />
      </div>
      <div>
        <Todo detail={detail} />
        <CaseHistory detail={detail} />
        {mayHold ? <Holds about={{ case: detail.case.id }} /> : null}
        {detail.pictures.length > 0 ? <Custody about={{ case: detail.case.id }} /> : null}
      </div>
    </div>
  );
}

function Facts({ detail }: { detail: CaseDetail }) {
  const { t, language, word } = useTexts();
  const one = detail.case;
  const camera = useCamera(one.camera, one.camera !== "").data;
  const name = useDepartmentName();
  const categoryName = useCategoryName();
  return (
    <section className="panel">
      <div className="head">
        <h1 style={{ margin: 0 }}>
          {categoryName(one.category)} <span className="dim number">#{one.id}</span>
        </h1>
        <CaseStatus status={one.state.status} />
        <SeverityTag severity={one.severity} />
        <span className="push">
          <CaseClock clock={one.state.clock} />
        </span>
      </div>
      <dl className="facts">
        <dt>{t("events.where")}</dt>
        <dd>
          {one.camera ? (
            <Link to={`/cameras/${encodeURIComponent(one.camera)}`}>{camera?.name || one.camera}</Link>
          ) : (
            one.address
          )}
          {one.zone ? <span> · {camera?.zones.find((z) => z.id === one.zone)?.name || one.zone}</span> : null}
          {one.grid ? <span className="dim"> · {one.grid}</span> : null}
        </dd>
        <dt>{t("cases.owner")}</dt>
        <dd>{name(one.state.owner)}</dd>
        <dt>{t("cases.handler")}</dt>
        <dd>
          {name(one.state.handler)}
          {one.state.crew ? <span className="dim"> · {one.state.crew}</span> : null}
        </dd>
        <dt>{t("events.started")}</dt>
        <dd>{formatTime(one.started_utc, language)}</dd>
        <dt>{t("cases.source")}</dt>
        <dd>{word("case.source", one.source)}</dd>
        {one.note ? (
          <>
            <dt>{t("cases.note")}</dt>
            <dd>{one.note}</dd>
          </>
        ) : null}
        {one.incident ? (
          <>
            <dt>{t("cases.incident.name")}</dt>
            <dd>
              <Link to={`/cases?incident=${one.incident}`}>{t("cases.incident", { n: one.incident })}</Link>
            </dd>
          </>
        ) : null}
      </dl>
    </section>
  );
}

/** What this person can do now, as the server says; each asks for what it needs. */
function Todo({ detail }: { detail: CaseDetail }) {
  const { t, word } = useTexts();
  const [doing, setDoing] = useState<Action | null>(null);
  const wanted = detail.offers.find((one) => one.action === doing);
  if (detail.offers.length === 0) return null;
  return (
    <section className="panel" data-testid="todo">
      <h2>{t("cases.todo")}</h2>
      <div className="actions" style={{ flexWrap: "wrap" }}>
        {detail.offers.map(({ action }, index) => (
          <Button
            key={action}
            type={index === 0 ? "primary" : "default"}
            danger={action === "void"}
            onClick={() => setDoing(action)}
          >
            {word("case.action", action)}
          </Button>
        ))}
      </div>
      {wanted ? (
        <CaseAction
          key={wanted.action}
          detail={detail}
          action={wanted.action}
          needs={wanted.needs}
          done={() => setDoing(null)}
        />
      ) : null}
    </section>
  );
}

function Events({ detail }: { detail: CaseDetail }) {
  const { t } = useTexts();
  const events = detail.events.slice(-MOST_EVENTS);
  if (events.length === 0) return null;
  return (
    <section className="panel">
      <h2>{t("cases.events", { n: detail.events.length })}</h2>
      {events.map((one) => (
        <EventBehind key={one.event} number={detail.case.id} about={one} />
      ))}
    </section>
  );
}

/** An event behind the case: its picture while the case is open, and why it belongs to it. */
function EventBehind({ number, about }: { number: number; about: CaseDetail["events"][number] }) {
  const { t, language } = useTexts();
  const event = useCaseEvent(number, about.event).data;
  const clip = event?.evidence.find((ref) => ref.role === "clip" && ref.stored && ref.deleted_utc == null);
  return (
    <div className="behind" data-testid="event-behind">
      {event?.picture ? (
        <a className="behind-picture" href={event.picture} target="_blank" rel="noreferrer">
          <Thumb src={event.picture} alt={t("cases.picture")} />
        </a>
      ) : null}
      <div>
        <Link to={`/events/${about.event}`} className="number">
          {formatTime(about.utc, language)}
        </Link>{" "}
        <span className="dim">{about.reason[language] ?? about.reason.en}</span>
        {event ? <div>{event.reason[language] ?? event.reason.en}</div> : null}
        {clip ? (
          <a href={clip.url} target="_blank" rel="noreferrer">
            {t("cases.clip")}
          </a>
        ) : null}
      </div>
    </div>
  );
}
