import { Tooltip } from "antd";
import type { ReactNode } from "react";
import { useTexts } from "../i18n";
import { formatClock } from "../parts/time";
import { amount, type Course, type Explanation, limit, type Matter, mattersOf, ticks } from "./explain";

const MOST_MATTERS = 6;
// While a camera is watched the next line comes within this time, s; after it nobody knows.
const HEARTBEAT_S = 17;

/** The timeline picture: one row a condition, green where it held, red where it failed. */
export function ExplainTimeline({ found, zones }: { found: Explanation; zones: Map<string, string> }) {
  const { t } = useTexts();
  const matters = mattersOf(found);
  return (
    <div className="why-chart" data-testid="why-chart">
      <Axis found={found} />
      <WatchedRow found={found} />
      <CountRow found={found} of="vehicles" />
      <CountRow found={found} of="people" />
      {matters.slice(0, MOST_MATTERS).map((matter) => (
        <MatterRows key={`${matter.zone} ${matter.subject}`} found={found} matter={matter} zones={zones} />
      ))}
      {matters.length > MOST_MATTERS ? (
        <p className="dim">{t("why.more", { n: matters.length - MOST_MATTERS })}</p>
      ) : null}
    </div>
  );
}

function Row({ label, found, children }: { label: ReactNode; found: Explanation; children: ReactNode }) {
  return (
    <div className="why-row">
      <div className="why-label">{label}</div>
      <div className="why-bar">
        {children}
        <i className="why-at" style={{ left: `${share(found, found.at)}%` }} />
      </div>
    </div>
  );
}

/** Where a moment stands on the axis, per cent. */
function share(found: Explanation, utc: number): number {
  return Math.min(100, Math.max(0, ((utc - found.since) / (found.until - found.since)) * 100));
}

function Part(props: {
  found: Explanation;
  since: number;
  until: number;
  kind: string;
  tip: string;
  children?: ReactNode;
}) {
  const { found, since, until, kind, tip } = props;
  const left = share(found, since);
  return (
    <Tooltip title={tip}>
      <span
        className={`why-part ${kind}`}
        style={{ left: `${left}%`, width: `${Math.max(0.3, share(found, until) - left)}%` }}
      >
        {props.children}
      </span>
    </Tooltip>
  );
}

function Axis({ found }: { found: Explanation }) {
  return (
    <div className="why-row why-axis" aria-hidden="true">
      <div className="why-label" />
      <div className="why-bar">
        {ticks(found.since, found.until).map((utc) => (
          <span key={utc} className="why-tick" style={{ left: `${share(found, utc)}%` }}>
            {formatClock(utc)}
          </span>
        ))}
      </div>
    </div>
  );
}

function WatchedRow({ found }: { found: Explanation }) {
  const { t, word } = useTexts();
  return (
    <Row label={t("why.watched")} found={found}>
      {found.watched.map((part) => {
        const why = part.why ? ` (${word("ailment", part.why)})` : "";
        const text = `${word("why.state", part.state)}${why} ${formatClock(part.since)} – ${formatClock(part.until)}`;
        return (
          <Part
            key={part.since}
            found={found}
            since={part.since}
            until={part.until}
            kind={part.state}
            tip={text}
          />
        );
      })}
    </Row>
  );
}

/** How many stood in the zones; each line holds until the next. */
function CountRow({ found, of }: { found: Explanation; of: "vehicles" | "people" }) {
  const { t } = useTexts();
  const most = Math.max(0, ...found.seen.map((one) => one[of]));
  if (most === 0) return null;
  return (
    <Row label={t(`why.${of}`)} found={found}>
      {found.seen.map((one, i) => {
        const until = found.seen[i + 1]?.utc ?? found.until;
        return one[of] > 0 ? (
          <Part
            key={one.utc}
            found={found}
            since={one.utc}
            until={Math.min(until, one.utc + HEARTBEAT_S)}
            kind="count"
            tip={`${formatClock(one.utc)} · ${one[of]}`}
          >
            <b style={{ height: `${(one[of] / most) * 100}%` }} />
          </Part>
        ) : null;
      })}
    </Row>
  );
}

function MatterRows(props: { found: Explanation; matter: Matter; zones: Map<string, string> }) {
  const { found, matter, zones } = props;
  const { t, word } = useTexts();
  const steps = found.steps.filter((one) => one.zone === matter.zone && one.subject === matter.subject);
  return (
    <section className={matter.named ? "why-matter named" : "why-matter"} data-testid="matter">
      <h3>
        {matter.subject ? t("why.matter", { n: word("ailment", matter.subject) }) : t("why.zone")}
        <span className="dim">
          {" "}
          · {matter.zone ? (zones.get(matter.zone) ?? matter.zone) : t("events.zone.whole")}
        </span>
      </h3>
      {matter.courses.map((course) => (
        <CourseRow key={course.name} found={found} course={course} />
      ))}
      {steps.length > 0 ? (
        <Row label={t("why.steps")} found={found}>
          {steps.map((one) => (
            <Tooltip key={`${one.utc} ${one.step}`} title={formatClock(one.utc)}>
              <span
                className={`why-step ${one.step} ${share(found, one.utc) > 85 ? "left" : ""}`}
                style={{ left: `${share(found, one.utc)}%` }}
              >
                {word("why.step", one.step)}
              </span>
            </Tooltip>
          ))}
        </Row>
      ) : null}
    </section>
  );
}

function CourseRow({ found, course }: { found: Explanation; course: Course }) {
  const { language, t } = useTexts();
  const label = (
    <>
      {course.label[language]} <span className="dim number nowrap">{limit(course, language)}</span>
    </>
  );
  return (
    <Row label={label} found={found}>
      {course.spans.map((span) => {
        const [low, high] = [span.low, span.high].map((one) => amount(one, course.unit, language));
        const values = low === high ? low : `${low} … ${high}`;
        const tip = `${t(span.holds ? "why.held" : "why.failed")} ${formatClock(span.since)} – ${formatClock(span.until)}：${values}`;
        return (
          <Part
            key={span.since}
            found={found}
            since={span.since}
            until={span.until}
            kind={span.holds ? "held" : "failed"}
            tip={tip}
          >
            <em>{`${span.holds ? "✓" : "✗"} ${values}`}</em>
          </Part>
        );
      })}
    </Row>
  );
}
