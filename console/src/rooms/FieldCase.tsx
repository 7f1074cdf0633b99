import { ArrowLeftOutlined, CompassOutlined } from "@ant-design/icons";
import { Button, Skeleton } from "antd";
import { Link } from "react-router";
import { useCase, useCaseBook, useCaseEvent } from "../api/cases";
import type { CaseDetail } from "../api/client";
import { useFieldCase, useStart } from "../api/field";
import { pressing } from "../field/countdown";
import { can, wanted } from "../field/draft";
import type { Whereabouts } from "../field/usePosition";
import { distance, formatDistance } from "../field/way";
import { useTexts } from "../i18n";
import { CaseClock, CaseStatus, useCategoryName, useNow } from "../parts/Cases";
import { SeverityTag } from "../parts/State";
import { Trouble } from "../parts/Trouble";
import { formatTime } from "../parts/time";
import { FieldReport } from "./FieldReport";

/** One case, as somebody on the way to it needs it. */
export function FieldCase({ number, whereabouts }: { number: number; whereabouts: Whereabouts }) {
  const { t } = useTexts();
  const { data, error, isPending, refetch } = useCase(number);
  return (
    <>
      <Link to="/m" className="field-back">
        <ArrowLeftOutlined /> {t("field.back")}
      </Link>
      {isPending ? <Skeleton active paragraph={{ rows: 10 }} /> : null}
      {error ? <Trouble error={error} retry={() => void refetch()} /> : null}
      {data ? (
        <>
          <Head detail={data} />
          <Way number={number} whereabouts={whereabouts} />
          <Asked detail={data} />
          <Before detail={data} />
          <Start detail={data} />
          <FieldReport detail={data} />
        </>
      ) : null}
    </>
  );
}

function Head({ detail }: { detail: CaseDetail }) {
  const { t, language } = useTexts();
  const categoryName = useCategoryName();
  const now = useNow(5_000);
  const { id, category, severity, state, started_utc } = detail.case;
  return (
    <section className={`panel field-card ${pressing(state.clock, now)}`}>
      <div className="field-row">
        <h1>
          {categoryName(category)} <span className="dim number">#{id}</span>
        </h1>
        <span>
          <SeverityTag severity={severity} /> <CaseStatus status={state.status} />
        </span>
      </div>
      {state.clock ? (
        <div className="field-clock big">
          <CaseClock clock={state.clock} />
        </div>
      ) : null}
      <div className="dim number">
        {t("field.began", { time: formatTime(started_utc, language, false) })}
        {state.clock
          ? ` · ${t("field.due", { time: formatTime(state.clock.due_utc, language, false) })}`
          : ""}
      </div>
    </section>
  );
}

function Way({ number, whereabouts }: { number: number; whereabouts: Whereabouts }) {
  const { t } = useTexts();
  const { data } = useFieldCase(number);
  if (!data) return null;
  return (
    <section className="panel">
      <div className="field-row">
        <div>
          <b>{data.place}</b>
          <div className="dim">
            {data.case.grid}
            {whereabouts.here && data.position
              ? ` ${t("field.distance", { way: formatDistance(distance(whereabouts.here, data.position), t) })}`
              : ""}
          </div>
        </div>
        {data.way ? (
          <a className="field-way" href={data.way} rel="noreferrer" data-testid="way">
            <CompassOutlined />
            {t("field.way")}
          </a>
        ) : (
          <span className="dim">{t("field.way.unknown")}</span>
        )}
      </div>
      {data.position && whereabouts.possible && !whereabouts.here ? (
        <Button size="large" block onClick={whereabouts.ask} style={{ marginTop: 10 }}>
          {t("field.locate")}
        </Button>
      ) : null}
    </section>
  );
}

/** What was said of the case, and what is wanted of who handles it. */
function Asked({ detail }: { detail: CaseDetail }) {
  const { t, language, word } = useTexts();
  const book = useCaseBook().data;
  const event = useCaseEvent(detail.case.id, detail.events[0]?.event).data;
  const byLook = book?.categories.find((c) => c.code === detail.case.category)?.closes === "gone";
  const said = event?.reason[language] ?? event?.reason.en;
  return (
    <section className="panel">
      <h2>{t("field.asked")}</h2>
      {detail.case.note ? <p>{detail.case.note}</p> : null}
      {said ? <p>{said}</p> : null}
      {wanted(detail).map((line) => (
        <p
          key={line.utc}
          className={line.action === "refuse" || line.action === "supervise" ? "pressed" : ""}
        >
          {word("case.action", line.action)}：{line.facts.note}{" "}
          <span className="dim number">{formatTime(line.utc, language, false)}</span>
        </p>
      ))}
      <p className="dim">{t(byLook ? "field.asked.look" : "field.asked.photo")}</p>
    </section>
  );
}

/** How the place looked: at the event, and at the last look that did not let it pass. */
function Before({ detail }: { detail: CaseDetail }) {
  const { t, language } = useTexts();
  const event = useCaseEvent(detail.case.id, detail.events[0]?.event).data;
  const look = detail.looks.findLast((one) => one.result?.verdict === "still_there")?.result;
  const seen = look?.evidence.find((ref) => ref.media_type.startsWith("image/"));
  if (!event?.picture && !seen) return null;
  return (
    <section className="panel">
      {seen && look ? (
        <figure>
          <img src={`/api/cases/${detail.case.id}/pictures/${seen.sha256}`} alt={t("field.look")} />
          <figcaption className="dim">
            {t("field.look")} · {formatTime(look.utc, language, false)}
          </figcaption>
        </figure>
      ) : null}
      {event?.picture ? (
        <figure data-testid="before">
          <img src={event.picture} alt={t("field.before")} />
          <figcaption className="dim">
            {t("field.before")} · {formatTime(event.started_utc, language, false)}
          </figcaption>
        </figure>
      ) : null}
    </section>
  );
}

/** 处置: says that somebody is at it. It needs the line; a report does not need it to be said before. */
function Start({ detail }: { detail: CaseDetail }) {
  const { word } = useTexts();
  const start = useStart(detail.case.id, detail.case.revision);
  if (!can(detail, "start")) return null;
  return (
    <>
      <Button
        size="large"
        block
        className="field-button"
        loading={start.isPending}
        onClick={() => start.mutate()}
      >
        {word("case.action", "start")}
      </Button>
      {start.error ? <Trouble error={start.error} /> : null}
    </>
  );
}
