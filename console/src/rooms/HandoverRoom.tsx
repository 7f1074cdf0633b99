import { ArrowLeftOutlined, PrinterOutlined } from "@ant-design/icons";
import { Alert, App, Button, Input, Skeleton } from "antd";
import { useState } from "react";
import { Link, useParams } from "react-router";
import { useRights } from "../api/access";
import { ApiError, type Schemas } from "../api/client";
import { type Handover, useAnswer, useHandover } from "../api/shifts";
import { useTexts } from "../i18n";
import { Trouble } from "../parts/Trouble";
import { formatTime } from "../parts/time";
import { useSession } from "../session";
import { Outcome } from "./ShiftHistory";
import { ShiftSnapshot } from "./ShiftSnapshot";
import "./shift.css";

/** One handover on a page of its own, to be read and printed. */
export function HandoverRoom() {
  const { t } = useTexts();
  const { id = "" } = useParams();
  return (
    <div className="page shift">
      <div className="head no-print">
        <Link to="/shift">
          <ArrowLeftOutlined aria-hidden="true" /> {t("shift.back")}
        </Link>
        <Button className="push" icon={<PrinterOutlined />} onClick={() => window.print()}>
          {t("shift.print")}
        </Button>
      </div>
      <SignedHandover number={Number(id)} />
    </div>
  );
}

/** A handover as it was signed, and what can be said to it while it waits. */
export function SignedHandover({ number }: { number: number }) {
  const { t } = useTexts();
  const { data, error, refetch } = useHandover(number);
  if (error && !data) return <Trouble error={error} retry={() => void refetch()} />;
  if (!data) return <Skeleton active />;
  const { handover, snapshot, intact } = data;
  return (
    <section className="panel" data-testid="handover" data-answer={handover.answer ?? "waiting"}>
      <h2>
        <Link to={`/shift/${handover.id}`}>{t("shift.handover", { n: handover.id })}</Link>{" "}
        <Outcome handover={handover} />
      </h2>
      {intact ? null : <Alert type="error" showIcon title={t("shift.broken")} />}
      <Signatures handover={handover} />
      {handover.note ? <blockquote className="shift-said">{handover.note}</blockquote> : null}
      <ShiftSnapshot snapshot={snapshot} />
      {handover.answer ? null : <Answering handover={handover} />}
    </section>
  );
}

function Signatures({ handover }: { handover: Handover }) {
  const { t, language, word } = useTexts();
  const when = (utc: number) => formatTime(utc, language);
  return (
    <dl className="facts">
      <dt>{t("shift.of")}</dt>
      <dd>
        {handover.shift.who} · {when(handover.shift.opened_utc)} → {when(handover.shift.planned_end_utc)}
      </dd>
      <dt>{t(handover.relief ? "shift.relieved" : "shift.signed")}</dt>
      <dd>
        {handover.signed_by} · {when(handover.signed_utc)}
      </dd>
      {handover.answered_utc != null && handover.answer ? (
        <>
          <dt>{word("shift.answered", handover.answer)}</dt>
          <dd>
            {handover.answered_by} · {when(handover.answered_utc)}
            {handover.answer_note ? ` · ${handover.answer_note}` : ""}
          </dd>
        </>
      ) : null}
      <dt>SHA-256</dt>
      <dd className="mono">{handover.sha256}</dd>
    </dl>
  );
}

/** Somebody else confirms or refuses; whoever signed may take it back. */
function Answering({ handover }: { handover: Handover }) {
  const { t } = useTexts();
  const { me } = useSession();
  const { message } = App.useApp();
  const dispatches = useRights()("dispatch");
  const [note, setNote] = useState("");
  // Who comes second is told what happened: by then this form is gone, because nothing waits any more.
  const overtaken = (error: Error) => {
    if (error instanceof ApiError && error.status === 409) {
      message.warning(t("shift.changed", { what: error.problem.detail }), 10);
    }
  };
  const answer = useAnswer(handover.id, overtaken);
  if (!dispatches) return null;
  const say = (what: Schemas["Answer"]) => answer.mutate({ answer: what, note });
  const mine = me?.name === handover.signed_by;
  return (
    <div className="shift-answer no-print" data-testid="answering">
      {mine ? (
        <p className="dim">{t("shift.waits")}</p>
      ) : (
        <Input.TextArea
          rows={2}
          maxLength={4000}
          aria-label={t("shift.answer.note")}
          placeholder={t("shift.answer.note")}
          value={note}
          onChange={(e) => setNote(e.target.value)}
        />
      )}
      {answer.error ? <Trouble error={answer.error} /> : null}
      <div className="actions">
        {mine ? (
          <Button loading={answer.isPending} onClick={() => say("withdrawn")}>
            {t("shift.withdraw")}
          </Button>
        ) : (
          <>
            <Button type="primary" loading={answer.isPending} onClick={() => say("confirmed")}>
              {t("shift.confirm")}
            </Button>
            <Button
              danger
              disabled={!note.trim()}
              loading={answer.isPending}
              title={note.trim() ? undefined : t("shift.refuse.how")}
              onClick={() => say("refused")}
            >
              {t("shift.refuse")}
            </Button>
          </>
        )}
      </div>
    </div>
  );
}
