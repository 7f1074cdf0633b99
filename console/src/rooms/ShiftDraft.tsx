import { Button, Input, InputNumber, Skeleton } from "antd";
import { useState } from "react";
import { type Shift, useDraft, useSign } from "../api/shifts";
import { useTexts } from "../i18n";
import { Trouble } from "../parts/Trouble";
import { useStored } from "../parts/useStored";
import { afterwards, Until } from "./ShiftBlocks";
import { ShiftSnapshot } from "./ShiftSnapshot";

type Notes = Record<string, string>;
const NOTE_CHARS = 4000;
const CASE_NOTE_CHARS = 500;

/** What would be handed over now; whoever is on shift writes to it and signs. */
export function ShiftDraft({ shift, mine }: { shift: Shift; mine: boolean }) {
  const { t } = useTexts();
  const [until, setUntil] = useState(() => afterwards(Math.max(shift.planned_end_utc, Date.now() / 1000)));
  const [note, setNote] = useStored(`shift.${shift.id}.note`, "");
  const [notes, setNotes] = useStored<Notes>(`shift.${shift.id}.notes`, {});
  const { data, error, refetch } = useDraft(until);
  const sign = useSign(shift.id);
  const write = (number: number, text: string) => {
    const { [number]: _, ...others } = notes;
    setNotes({ ...others, [number]: text });
  };
  const send = () =>
    sign.mutate({
      until_utc: until,
      note,
      cases: Object.entries(notes)
        .filter(([, text]) => text.trim())
        .map(([number, text]) => ({ case: Number(number), note: text })),
    });
  if (error && !data) return <Trouble error={error} retry={() => void refetch()} />;
  if (!data) return <Skeleton active />;
  const listed = new Set(data.cases.map((one) => one.id));
  const extra = Object.keys(notes)
    .map(Number)
    .filter((number) => !listed.has(number));
  return (
    <>
      <section className="panel" data-testid="draft">
        <h2>{t(mine ? "shift.draft" : "shift.standing")}</h2>
        <p className="dim">{t(mine ? "shift.draft.what" : "shift.standing.what")}</p>
        <Until label={t("shift.until.next")} value={until} change={setUntil} />
        <ShiftSnapshot
          snapshot={data}
          field={
            mine
              ? (number) => (
                  <NoteField
                    number={number}
                    value={notes[number] ?? ""}
                    change={(text) => write(number, text)}
                  />
                )
              : undefined
          }
        />
      </section>
      {mine ? (
        <section className="panel" data-testid="sign">
          <h2>{t("shift.sign")}</h2>
          {extra.map((number) => (
            <div key={number} className="shift-extra">
              <span className="number">#{number}</span>
              <NoteField number={number} value={notes[number] ?? ""} change={(text) => write(number, text)} />
            </div>
          ))}
          <More add={(number) => write(number, notes[number] ?? "")} />
          <span className="dim">{t("shift.note")}</span>
          <Input.TextArea
            rows={3}
            maxLength={NOTE_CHARS}
            aria-label={t("shift.note")}
            placeholder={t("shift.note.how")}
            value={note}
            onChange={(e) => setNote(e.target.value)}
          />
          {sign.error ? <Trouble error={sign.error} /> : null}
          <Button type="primary" loading={sign.isPending} onClick={send} style={{ marginTop: 10 }}>
            {t("shift.sign.do")}
          </Button>
        </section>
      ) : null}
    </>
  );
}

function NoteField({
  number,
  value,
  change,
}: {
  number: number;
  value: string;
  change: (text: string) => void;
}) {
  const { t } = useTexts();
  return (
    <Input
      size="small"
      maxLength={CASE_NOTE_CHARS}
      aria-label={t("shift.case.note.of", { n: number })}
      placeholder={t("shift.case.note")}
      value={value}
      onChange={(e) => change(e.target.value)}
    />
  );
}

/** A note to an open case that is not listed by itself. */
function More({ add }: { add: (number: number) => void }) {
  const { t } = useTexts();
  const [number, setNumber] = useState<number | null>(null);
  return (
    <form
      className="shift-form"
      onSubmit={(e) => {
        e.preventDefault();
        if (number) add(number);
        setNumber(null);
      }}
    >
      <InputNumber
        min={1}
        precision={0}
        aria-label={t("shift.more.number")}
        placeholder={t("shift.more.number")}
        value={number}
        onChange={setNumber}
      />
      <Button htmlType="submit" disabled={!number}>
        {t("shift.more")}
      </Button>
    </form>
  );
}
