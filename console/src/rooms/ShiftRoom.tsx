import { Button, Skeleton } from "antd";
import { useState } from "react";
import { useRights } from "../api/access";
import { type CurrentShift, type Shift, useBegin, useCurrentShift } from "../api/shifts";
import { useTexts } from "../i18n";
import { useNow } from "../parts/Cases";
import { Trouble } from "../parts/Trouble";
import { formatDuration, formatTime } from "../parts/time";
import { useSession } from "../session";
import { SignedHandover } from "./HandoverRoom";
import { afterwards, Until } from "./ShiftBlocks";
import { ShiftDraft } from "./ShiftDraft";
import { ShiftHistory } from "./ShiftHistory";
import { Relief } from "./ShiftRelief";
import { Weather } from "./Weather";
import "./shift.css";

/** Whose shift it is at the centre, what is handed over, who takes over, and all that went before. */
export function ShiftRoom() {
  const { t } = useTexts();
  const { data, error, isPending, refetch } = useCurrentShift();
  return (
    <div className="page shift">
      <div className="head">
        <h1>{t("shift.title")}</h1>
      </div>
      {isPending ? <Skeleton active /> : null}
      {error && !data ? <Trouble error={error} retry={() => void refetch()} /> : null}
      <Weather />
      {data ? <Current current={data} /> : null}
      <ShiftHistory />
    </div>
  );
}

function Current({ current }: { current: CurrentShift }) {
  const { me } = useSession();
  const dispatches = useRights()("dispatch");
  const { shift, waiting } = current;
  if (!shift) return <Nobody />;
  const mine = dispatches && me?.name === shift.who;
  return (
    <>
      <OnShift shift={shift} mine={mine} signed={waiting !== null} />
      {waiting ? <SignedHandover number={waiting.id} key={waiting.id} /> : null}
      {dispatches && !waiting ? <ShiftDraft shift={shift} mine={mine} key={shift.id} /> : null}
    </>
  );
}

function OnShift({ shift, mine, signed }: { shift: Shift; mine: boolean; signed: boolean }) {
  const { t, language } = useTexts();
  const dispatches = useRights()("dispatch");
  const left = shift.planned_end_utc - useNow(1000);
  return (
    <section className="panel" data-testid="on-shift">
      <div className="shift-now">
        <div>
          <span className="dim">{t("shift.on")}</span>
          <b className="shift-value">
            {shift.who}
            {mine ? <small className="dim"> {t("shift.you")}</small> : null}
          </b>
        </div>
        <div>
          <span className="dim">{t("shift.since")}</span>
          <b className="shift-value number">{formatTime(shift.opened_utc, language, false)}</b>
        </div>
        <div>
          <span className="dim">{t("shift.planned")}</span>
          <b className="shift-value number">
            {formatTime(shift.planned_end_utc, language, false)}{" "}
            <small className={left < 0 ? "shift-late" : "dim"}>
              {t(left < 0 ? "shift.over" : "shift.left", { time: formatDuration(Math.abs(left), t) })}
            </small>
          </b>
        </div>
        {dispatches && !mine && !signed ? <Relief shift={shift} /> : null}
      </div>
      <p className="dim shift-rule">{t(signed ? "shift.rule.signed" : "shift.rule")}</p>
    </section>
  );
}

/** Before the centre's first shift. */
function Nobody() {
  const { t } = useTexts();
  const dispatches = useRights()("dispatch");
  const begin = useBegin();
  const [until, setUntil] = useState(() => afterwards(Date.now() / 1000));
  return (
    <section className="panel">
      <h2>{t("shift.nobody")}</h2>
      {dispatches ? (
        <form
          className="shift-form"
          onSubmit={(e) => {
            e.preventDefault();
            begin.mutate(until);
          }}
        >
          <Until label={t("shift.until.mine")} value={until} change={setUntil} />
          <Button type="primary" htmlType="submit" loading={begin.isPending}>
            {t("shift.begin")}
          </Button>
        </form>
      ) : null}
      {begin.error ? <Trouble error={begin.error} /> : null}
    </section>
  );
}
