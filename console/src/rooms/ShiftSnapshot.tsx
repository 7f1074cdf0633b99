import { Segmented, Table, type TableColumnsType } from "antd";
import { type ReactNode, useState } from "react";
import { Link } from "react-router";
import { useRights } from "../api/access";
import type { Schemas } from "../api/client";
import type { Mark, Snapshot } from "../api/shifts";
import { useTexts } from "../i18n";
import { CaseStatus, useCategoryName, useDepartmentName } from "../parts/Cases";
import { Nothing } from "../parts/Trouble";
import { formatDuration, formatHours, formatTime } from "../parts/time";
import { MarkTag } from "./ShiftBlocks";

type HandedCase = Schemas["HandedCase"];
const MARKS: Mark[] = ["late", "due", "supervised", "resumes", "look", "noted"];
const STATUSES = [
  "accepted",
  "filed",
  "dispatched",
  "handling",
  "reported",
  "verifying",
  "suspended",
] as const;

interface Props {
  snapshot: Snapshot;
  /** where a case's note is written; undefined: it is only read */
  field?: ((number: number) => ReactNode) | undefined;
}

/** How things stand at the desk: as it is now, or as it was signed. */
export function ShiftSnapshot({ snapshot, field }: Props) {
  const { t, language, word } = useTexts();
  const total = Object.values(snapshot.by_status).reduce((sum, n) => sum + n, 0);
  return (
    <>
      <p className="dim">
        {t("shift.drawn", {
          at: formatTime(snapshot.drawn_utc, language),
          until: formatTime(snapshot.until_utc, language, false),
          opened: snapshot.opened,
          closed: snapshot.closed,
        })}
      </p>
      <div className="numbers" data-testid="shift-counts">
        <div>
          <b>{total}</b>
          <span className="dim">{t("shift.open")}</span>
        </div>
        {MARKS.filter((mark) => mark !== "noted").map((mark) => (
          <div key={mark} className={mark === "late" && snapshot.marked[mark] ? "alarming" : undefined}>
            <b>{snapshot.marked[mark] ?? 0}</b>
            <span className="dim">{word("shift.mark", mark)}</span>
          </div>
        ))}
      </div>
      <p className="shift-statuses">
        {STATUSES.filter((status) => snapshot.by_status[status]).map((status) => (
          <span key={status} className="shift-marks">
            <CaseStatus status={status} />
            <b className="number">{snapshot.by_status[status]}</b>
          </span>
        ))}
      </p>
      <Cases snapshot={snapshot} field={field} />
      <Incidents incidents={snapshot.incidents} />
      <Silences silences={snapshot.silences} />
      <Cameras cameras={snapshot.cameras} />
    </>
  );
}

function Cases({ snapshot, field }: Props) {
  const { t, word } = useTexts();
  const [mark, setMark] = useState<Mark | "all">("all");
  const columns = useColumns(snapshot.drawn_utc, field);
  const shown = snapshot.cases.filter((one) => mark === "all" || one.marks.includes(mark));
  const there = MARKS.filter((one) => snapshot.cases.some((about) => about.marks.includes(one)));
  return (
    <>
      <div className="shift-filter">
        <h3 className="shift-part">{t("shift.cases", { n: snapshot.cases.length })}</h3>
        {there.length > 1 ? (
          <Segmented
            size="small"
            value={mark}
            onChange={setMark}
            options={[
              { value: "all" as const, label: t("cases.group.all") },
              ...there.map((value) => ({ value, label: word("shift.mark", value) })),
            ]}
          />
        ) : null}
      </div>
      <Table<HandedCase>
        rowKey="id"
        size="small"
        columns={columns}
        dataSource={shown}
        pagination={false}
        locale={{ emptyText: <Nothing title={t("shift.cases.none")} /> }}
      />
      {snapshot.left_out > 0 ? (
        <p className="dim">
          {t("shift.left_out", { n: snapshot.left_out })}{" "}
          <Link to="/cases?late=true">{t("cases.title")}</Link>
        </p>
      ) : null}
    </>
  );
}

/** Links lead where the reader may go. */
function CaseNumber({ number }: { number: number }) {
  const may = useRights();
  if (!may("dispatch", "handle")) return <span className="number">{number}</span>;
  return (
    <Link to={`/cases/${number}`} className="number">
      {number}
    </Link>
  );
}

function useColumns(drawn: number, field: Props["field"]): TableColumnsType<HandedCase> {
  const { t, word, language } = useTexts();
  const categoryName = useCategoryName();
  const department = useDepartmentName();
  return [
    { title: t("cases.number"), width: 70, render: (_, one) => <CaseNumber number={one.id} /> },
    { title: t("cases.category"), width: 130, render: (_, one) => categoryName(one.category) },
    {
      title: t("shift.why"),
      width: 210,
      render: (_, one) => (
        <span className="shift-marks">
          {one.marks.map((mark) => (
            <MarkTag key={mark} mark={mark} />
          ))}
          {one.look ? <span className="dim">{word("shift.look", one.look)}</span> : null}
        </span>
      ),
    },
    { title: t("cases.status"), width: 90, render: (_, one) => <CaseStatus status={one.status} /> },
    {
      title: t("events.where"),
      render: (_, one) => (
        <>
          {one.where || "–"} <span className="dim">{one.grid}</span>
        </>
      ),
    },
    { title: t("cases.handler"), width: 130, render: (_, one) => department(one.handler) },
    {
      title: t("shift.due"),
      width: 160,
      render: (_, one) =>
        one.due_utc == null ? (
          "–"
        ) : (
          <>
            <span className="number nowrap">{formatTime(one.due_utc, language, false)}</span>
            {one.marks.includes("late") ? (
              <div className="shift-late">
                {t("cases.clock.late", { time: formatDuration(drawn - one.due_utc, t) })}
              </div>
            ) : null}
          </>
        ),
    },
    {
      title: t("shift.case.note"),
      width: field ? 240 : undefined,
      render: (_, one) => (field ? field(one.id) : one.note),
    },
  ];
}

function Incidents({ incidents }: { incidents: Snapshot["incidents"] }) {
  const { t } = useTexts();
  const categoryName = useCategoryName();
  const may = useRights();
  if (incidents.length === 0) return null;
  return (
    <>
      <h3 className="shift-part">{t("shift.incidents", { n: incidents.length })}</h3>
      <ul className="lines">
        {incidents.map((one) => (
          <li key={one.id}>
            {may("dispatch", "handle") ? (
              <Link to={`/cases?incident=${one.id}`}>{t("cases.incident", { n: one.id })}</Link>
            ) : (
              t("cases.incident", { n: one.id })
            )}{" "}
            {categoryName(one.category)} · {t("shift.incident", { open: one.open, late: one.late })}
          </li>
        ))}
      </ul>
    </>
  );
}

function Silences({ silences }: { silences: Snapshot["silences"] }) {
  const { t, language, word } = useTexts();
  const department = useDepartmentName();
  if (silences.length === 0) return null;
  return (
    <>
      <h3 className="shift-part">{t("shift.silences", { n: silences.length })}</h3>
      <ul className="lines" data-testid="shift-silences">
        {silences.map((one) => (
          <li key={`${one.kind} ${one.number}`}>
            <b>{word("shift.silence", one.kind)}</b>
            {one.department ? ` ${department(one.department)}` : ""} · {one.note || "–"} · {one.who} ·{" "}
            <span className="number">
              {formatTime(one.from_utc, language, false)} → {formatTime(one.until_utc, language, false)}
            </span>{" "}
            <span className="dim">{t("shift.silence.hidden", { n: one.hidden })}</span>
          </li>
        ))}
      </ul>
    </>
  );
}

function Cameras({ cameras }: { cameras: Snapshot["cameras"] }) {
  const { t, language, word } = useTexts();
  if (cameras.length === 0) return null;
  return (
    <>
      <h3 className="shift-part">{t("shift.cameras", { n: cameras.length })}</h3>
      <ul className="lines" data-testid="shift-cameras">
        {cameras.map((one) => (
          <li key={`${one.camera} ${one.algorithm}`}>
            <b>{one.name}</b> ·{" "}
            {one.algorithm === "*" ? t("health.algorithm.all") : word("event", one.algorithm)} ·{" "}
            {word("health.reason", one.reason)} ·{" "}
            {t("shift.camera", {
              since: formatTime(one.since_utc, language, false),
              hours: formatHours(one.hours),
              n: one.cases,
            })}
          </li>
        ))}
      </ul>
    </>
  );
}
