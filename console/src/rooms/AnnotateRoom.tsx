import { Button, Input, Skeleton } from "antd";
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { Link, useParams } from "react-router";
import {
  type Label,
  type LabelProject,
  type LabelTask,
  useLabelProject,
  useLabelQueue,
  type Work,
} from "../api/labelling";
import { freshId } from "../api/retry";
import { useTexts } from "../i18n";
import { type Act, actOf } from "../labelling/keys";
import { LabelCanvas } from "../labelling/LabelCanvas";
import { SidePanel } from "../labelling/SidePanel";
import {
  begun,
  closed,
  next,
  pushed,
  redone,
  type Sheet,
  taken as takenOut,
  undone,
  withCorner,
  withSuggested,
  withTool,
  withWord,
} from "../labelling/sheet";
import { useLetters } from "../outbox/Letters";
import { letter } from "../outbox/letters";
import { Refused } from "../outbox/Refused";
import { Nothing, Trouble } from "../parts/Trouble";
import { taken } from "../review/keys";
import "../review/review.css";
import "../labelling/labelling.css";

/** One picture after the other, labelled or reviewed by keyboard. */
export function AnnotateRoom({ work }: { work: Work }) {
  const { t } = useTexts();
  const number = Number(useParams().id);
  const { data: project, error: lost } = useLabelProject(number);
  const { data, error, isPending, refetch } = useLabelQueue(number, work);
  const { waiting } = useLetters();
  const [done, setDone] = useState<ReadonlySet<number>>(new Set());
  const [skipped, setSkipped] = useState<readonly number[]>([]);
  const room = useRef<HTMLDivElement>(null);
  // From the link that led here, which would take Enter for itself.
  useEffect(() => room.current?.focus(), []);
  const task = inOrder(data ?? [], done, skipped)[0];
  const trouble = lost ?? error;
  const unsent = waiting.filter((one) => one.to !== "verdict" && one.to !== "missed").length;
  return (
    <div className="page review" ref={room} tabIndex={-1}>
      <div className="head">
        <Link to={`/labelling/${number}`}>{t("label.back")}</Link>
        <b>{project?.name}</b>
        <span className="push number" data-testid="progress">
          <b>{t("label.done", { n: done.size })}</b>
          <span className="dim"> · {unsent > 0 ? t("review.unsent", { n: unsent }) : t("label.saved")}</span>
        </span>
      </div>
      <Refused />
      {trouble && !task ? <Trouble error={trouble} retry={() => void refetch()} /> : null}
      {isPending ? <Skeleton active paragraph={{ rows: 10 }} /> : null}
      {data && !task && !trouble ? <Nothing title={t("label.none")} text={t("label.none.how")} /> : null}
      {task && project ? (
        <Annotator
          key={task.item.id}
          task={task}
          project={project}
          work={work}
          finished={() => setDone((known) => new Set(known).add(task.item.id))}
          skip={() => setSkipped((known) => [...known.filter((one) => one !== task.item.id), task.item.id])}
        />
      ) : null}
    </div>
  );
}

/** What is left of the queue; what was skipped comes last, in the order in which it was. */
function inOrder(tasks: readonly LabelTask[], done: ReadonlySet<number>, skipped: readonly number[]) {
  const left = tasks.filter(({ item }) => !done.has(item.id));
  return [...left].sort((a, b) => skipped.indexOf(a.item.id) - skipped.indexOf(b.item.id));
}

interface AnnotatorProps {
  task: LabelTask;
  project: LabelProject;
  work: Work;
  finished: () => void;
  skip: () => void;
}

function Annotator({ task, project, work, finished, skip }: AnnotatorProps) {
  const { t } = useTexts();
  const { put } = useLetters();
  const { item } = task;
  // As it was when it was shown: what came since then, nobody here has seen.
  const [answer] = useState(() => task.answers.at(-1));
  const [sheet, setSheet] = useState<Sheet>(() =>
    begun(atFirst(task), project.kinds[0] ?? "box", project.classes[0] ?? ""),
  );
  const [first] = useState(sheet.labels);
  const given = answer?.labels;
  const [there, setThere] = useState<boolean | null>(null);
  const [rejecting, setRejecting] = useState(false);
  const [began] = useState(() => Date.now());
  const spent = () => Math.min(86_400, (Date.now() - began) / 1000);
  useAutosave(item.id, sheet.labels, first);

  const send = () => {
    if (there !== true) return; // nobody labels what they have not seen
    const labels = [...sheet.labels];
    if (work === "label") {
      put(
        letter({ to: "labels", item: item.id, body: { labels, note: "", spent_s: spent(), key: freshId() } }),
      );
    } else if (answer) {
      const corrected = sheet.labels === given ? null : labels;
      const body = {
        answer: answer.id,
        accepted: true,
        labels: corrected,
        note: "",
        spent_s: spent(),
        key: freshId(),
      };
      put(letter({ to: "label_review", item: item.id, body }));
    }
    finished();
  };
  const reject = (note: string) => {
    if (!answer || !note.trim()) return;
    const body = { answer: answer.id, accepted: false, labels: null, note, spent_s: spent(), key: freshId() };
    put(letter({ to: "label_review", item: item.id, body }));
    finished();
  };
  const act = (what: Act) => {
    if (what.do === "enter" && sheet.corners.length === 0) send();
    else if (what.do === "skip") skip();
    else if (what.do === "reject") setRejecting(work === "review");
    else
      setSheet((known) =>
        changed(
          known,
          what,
          project,
          item.suggested.map((one) => one.label),
        ),
      );
  };
  useKeys(act, rejecting);

  return (
    <div className="detail judging" data-testid="task" data-item={item.id} data-ready={there === true}>
      <div>
        <LabelCanvas
          item={item}
          sheet={sheet}
          classes={project.classes}
          shown={setThere}
          corner={(point) => setSheet((known) => withCorner({ ...known, cursor: point }, point))}
          hover={(cursor) => setSheet((known) => ({ ...known, cursor }))}
        />
        {there === false ? <p className="dim">{t("label.picture.lost")}</p> : null}
        <p className="dim number">{[item.name, item.camera, ...item.slices].filter(Boolean).join(" · ")}</p>
      </div>
      <div>
        {rejecting ? <Why send={reject} leave={() => setRejecting(false)} /> : null}
        <SidePanel
          sheet={sheet}
          project={project}
          suggested={item.suggested}
          act={act}
          by={work === "review" ? answer?.who : undefined}
          sends={
            work === "label" ? "label.submit" : sheet.labels === given ? "label.accept" : "label.correct"
          }
          ready={there === true}
        />
      </div>
    </div>
  );
}

/** Where somebody stopped; else what the other one said, or what was one's own when it was rejected. */
function atFirst(task: LabelTask): readonly Label[] {
  return (task.draft as Label[] | null) ?? task.answers.at(-1)?.labels ?? [];
}

function changed(sheet: Sheet, what: Act, project: LabelProject, suggested: readonly Label[]): Sheet {
  switch (what.do) {
    case "class": {
      const word = project.classes[what.at];
      return word === undefined ? sheet : withWord(sheet, word);
    }
    case "tool":
      return project.kinds.includes(what.kind) ? withTool(sheet, what.kind) : sheet;
    case "push":
      return pushed(sheet, what.x, what.y, what.grow);
    case "corner":
      return withCorner(sheet, sheet.cursor);
    case "enter":
      return closed(sheet);
    case "delete":
      return takenOut(sheet);
    case "next":
      return next(sheet, what.by);
    case "leave":
      return { ...sheet, selected: null, corners: [] };
    case "undo":
      return undone(sheet);
    case "redo":
      return redone(sheet);
    case "suggested":
      return withSuggested(sheet, suggested);
    default:
      return sheet;
  }
}

const CALM_MS = 400;

/** Keeps what is drawn, a moment after each change; what is on its way waits in the browser over a dead line. */
function useAutosave(item: number, labels: readonly Label[], first: readonly Label[]): void {
  const { put } = useLetters();
  const sent = useRef(first);
  useEffect(() => {
    if (labels === sent.current) return;
    const timer = window.setTimeout(() => {
      sent.current = labels;
      put(letter({ to: "draft", item, body: { labels: [...labels], stamp: Date.now() } }));
    }, CALM_MS);
    return () => window.clearTimeout(timer);
  }, [item, labels, put]);
}

function useKeys(act: (what: Act) => void, off: boolean): void {
  // With the page itself: a moment later, a quick key would still speak of the picture before.
  useLayoutEffect(() => {
    if (off) return;
    const onKey = (event: KeyboardEvent) => {
      if (taken(event.target, event.key)) return;
      const what = actOf(event);
      if (!what) return;
      event.preventDefault();
      act(what);
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  });
}

function Why({ send, leave }: { send: (note: string) => void; leave: () => void }) {
  const { t } = useTexts();
  const [note, setNote] = useState("");
  return (
    <section className="panel">
      <Input
        autoFocus
        maxLength={500}
        placeholder={t("label.reject.why")}
        value={note}
        onChange={(event) => setNote(event.target.value)}
        onPressEnter={() => send(note)}
        onKeyDown={(event) => event.key === "Escape" && leave()}
      />
      <Button danger disabled={!note.trim()} onClick={() => send(note)} style={{ marginTop: 8 }}>
        {t("label.reject.send")}
      </Button>
    </section>
  );
}
