import { Button, Select, Skeleton } from "antd";
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
import { useSearchParams } from "react-router";
import type { EventSummary } from "../api/client";
import { type EventFilters, useEvent } from "../api/queries";
import { freshId } from "../api/retry";
import { WHY, type Why } from "../api/review";
import { type TextKey, useTexts } from "../i18n";
import { useLetters } from "../outbox/Letters";
import { letter } from "../outbox/letters";
import { Refused } from "../outbox/Refused";
import { CameraSelect } from "../parts/CameraSelect";
import { Nothing, Trouble } from "../parts/Trouble";
import { type Act, actOf, taken } from "../review/keys";
import { current, judged, moved, pace, undone } from "../review/line";
import { useLine } from "../review/useLine";
import { readFilters, TYPES, WINDOWS, writeFilters } from "./filters";
import { ReviewFacts } from "./ReviewFacts";
import { ReviewMissed } from "./ReviewMissed";
import { ReviewPicture } from "./ReviewPicture";
import { ReviewTabs } from "./ReviewTabs";

/** One event after the other, judged by keyboard. */
export function ReviewRoom() {
  const [params, setParams] = useSearchParams();
  const filters = readFilters(params);
  const room = useRef<HTMLDivElement>(null);
  // From the link that led here, which would take Enter for itself.
  useEffect(() => room.current?.focus(), []);
  return (
    <div className="page review" ref={room} tabIndex={-1}>
      <Judging
        key={params.toString()}
        filters={filters}
        change={(fields) => setParams(writeFilters({ ...filters, ...fields }), { replace: true })}
      />
    </div>
  );
}

interface JudgingProps {
  filters: EventFilters;
  change: (fields: Partial<EventFilters>) => void;
}

function Judging({ filters, change }: JudgingProps) {
  const { t, word } = useTexts();
  const { line, setLine, error, isPending, refetch } = useLine(filters);
  const said = useLetters();
  const event = current(line);
  const [asking, setAsking] = useState(false);
  const [drawing, setDrawing] = useState(false);
  const [look, setLook] = useState(0);
  const [clip, setClip] = useState(false);
  // The event whose picture was on the page: nobody judges what they have not seen.
  const [seen, setSeen] = useState("");
  const shown = useCallback(() => setSeen(event?.id ?? ""), [event?.id]);
  const ready = event !== undefined && seen === event.id;

  // biome-ignore lint/correctness/useExhaustiveDependencies: each event begins with its first picture
  useEffect(() => {
    setLook(0);
    setClip(false);
    setAsking(false);
  }, [event?.id]);

  const judge = (kind: "real" | "false_alarm", why: Why | null) => {
    if (!event || !ready) return;
    said.put(
      letter({ to: "verdict", event: event.id, body: { kind, reason: why, note: "", key: freshId() } }),
    );
    const words = why ? `${t("verdict.false_alarm")}：${word("verdict.why", why)}` : t("verdict.real");
    setLine((known) => (current(known)?.id === event.id ? judged(known, words, Date.now()) : known));
    setAsking(false);
  };
  const act = (what: Act) => {
    if (what.do === "real") judge("real", null);
    else if (what.do === "false") judge("false_alarm", what.why);
    else if (what.do === "ask") setAsking(ready);
    else if (what.do === "cancel") setAsking(false);
    else if (what.do === "missed") setDrawing(event !== undefined);
    else if (what.do === "undo") setLine(undone);
    else if (what.do === "move") setLine((known) => moved(known, what.by));
    else if (what.do === "look") setLook((n) => n + what.by);
    else setClip((on) => !on);
  };
  useKeys(act, asking, drawing);

  return (
    <>
      <div className="head">
        <ReviewTabs />
        <Filters filters={filters} change={change} />
        <Progress
          line={line}
          unsent={said.waiting.filter((one) => one.to === "verdict" || one.to === "missed").length}
        />
      </div>
      <Refused />
      {error && !event ? <Trouble error={error} retry={() => void refetch()} /> : null}
      {isPending ? <Skeleton active paragraph={{ rows: 10 }} /> : null}
      {!isPending && !event && !error ? (
        <Nothing title={t("review.empty")} text={t("review.empty.how")} />
      ) : null}
      {event ? (
        <div className="detail judging" data-testid="review" data-event={event.id} data-ready={ready}>
          <Shown event={event} look={look} clip={clip} shown={shown} />
          <div>
            <ReviewFacts
              event={event}
              before={line.again.has(event.id)}
              place={`${line.at + 1} / ${line.upcoming.length}`}
            />
            <Buttons act={act} asking={asking} ready={ready} mayUndo={line.done.length > 0} />
            <Last line={line} />
          </div>
        </div>
      ) : line.done.length > 0 ? (
        <Button onClick={() => setLine(undone)}>{t("review.undo")} (U)</Button>
      ) : null}
      {event && drawing ? <ReviewMissed event={event} close={() => setDrawing(false)} /> : null}
    </>
  );
}

function useKeys(act: (what: Act) => void, asking: boolean, off: boolean): void {
  // With the page itself: a moment later, a quick key would still speak of the event before.
  useLayoutEffect(() => {
    if (off) return;
    const onKey = (event: KeyboardEvent) => {
      if (taken(event.target, event.key)) return;
      const what = actOf(event, asking);
      if (!what) return;
      event.preventDefault();
      act(what);
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  });
}

function Shown({
  event,
  look,
  clip,
  shown,
}: {
  event: EventSummary;
  look: number;
  clip: boolean;
  shown: () => void;
}) {
  const { data, error, refetch } = useEvent(event.id);
  if (error && !data) return <Trouble error={error} retry={() => void refetch()} />;
  if (!data) return <div className="media" style={{ aspectRatio: "16 / 9" }} />;
  return <ReviewPicture key={data.id} event={data} look={look} clip={clip} shown={shown} />;
}

function Filters({ filters, change }: JudgingProps) {
  const { t, word } = useTexts();
  return (
    <>
      <Select
        aria-label={t("events.window")}
        value={filters.hours}
        onChange={(hours) => change({ hours })}
        options={WINDOWS.map((hours) => ({ value: hours, label: t(`events.window.${hours}` as TextKey) }))}
      />
      <Select
        mode="multiple"
        maxTagCount="responsive"
        allowClear
        placeholder={t("events.type")}
        aria-label={t("events.type")}
        value={filters.type}
        onChange={(type) => change({ type })}
        options={TYPES.map((type) => ({ value: type, label: word("event", type) }))}
        style={{ width: 150 }}
      />
      <CameraSelect
        value={filters.camera}
        onChange={(camera) => change({ camera })}
        placeholder={t("events.camera")}
        width={180}
      />
    </>
  );
}

type Line = ReturnType<typeof useLine>["line"];

/** How many, how fast, what others did meanwhile, and what is still on its way. */
function Progress({ line, unsent }: { line: Line; unsent: number }) {
  const { t } = useTexts();
  const fast = pace(line.done);
  return (
    <span className="push number" data-testid="progress">
      <b>{t("review.done", { n: line.done.length })}</b>
      {fast === null ? null : ` · ${t("review.pace", { n: Math.round(fast) })}`}
      {line.skipped > 0 ? <span className="dim"> · {t("review.skipped", { n: line.skipped })}</span> : null}
      {unsent > 0 ? <span className="dim"> · {t("review.unsent", { n: unsent })}</span> : null}
    </span>
  );
}

function Last({ line }: { line: Line }) {
  const { t } = useTexts();
  const last = line.done.at(-1);
  if (!last) return null;
  return (
    <p className="dim" data-testid="last">
      {t("review.last", { camera: last.event.camera_name, words: last.words })}
    </p>
  );
}

interface ButtonsProps {
  act: (what: Act) => void;
  asking: boolean;
  ready: boolean;
  mayUndo: boolean;
}

/** What can be said, each with its key. */
function Buttons({ act, asking, ready, mayUndo }: ButtonsProps) {
  const { t, word } = useTexts();
  const button = (
    key: string,
    text: string,
    what: Act,
    more: { disabled?: boolean; danger?: boolean } = {},
  ) => (
    <Button
      key={key}
      {...more}
      onClick={(e) => {
        e.currentTarget.blur(); // the next Enter is for the page again
        act(what);
      }}
    >
      <kbd>{key}</kbd>
      {text}
    </Button>
  );
  return (
    <section className="panel says" aria-label={t("review.keys")}>
      {asking ? (
        <>
          <h2>{t("review.why")}</h2>
          <div className="says-why">
            {WHY.map((why, n) => button(String(n + 1), word("verdict.why", why), { do: "false", why }))}
            {button("Esc", t("review.cancel"), { do: "cancel" })}
          </div>
        </>
      ) : (
        <>
          <div className="says-main">
            {button("J", t("verdict.real"), { do: "real" }, { disabled: !ready })}
            {button("F", t("verdict.false_alarm"), { do: "ask" }, { disabled: !ready, danger: true })}
            {button("M", t("review.missed"), { do: "missed" })}
            {button("U", t("review.undo"), { do: "undo" }, { disabled: !mayUndo })}
          </div>
          <dl className="keys">
            {(["enter", "f", "m", "u", "arrows", "looks", "c"] as const).map((key) => (
              <div key={key}>
                <dt>
                  <kbd>{t(`review.key.${key}`)}</kbd>
                </dt>
                <dd>{t(`review.key.${key}.is`)}</dd>
              </div>
            ))}
          </dl>
        </>
      )}
    </section>
  );
}
