import { Skeleton } from "antd";
import { useEffect, useRef, useState } from "react";
import { Link, useParams } from "react-router";
import { type LabelTask, useLabelProject, useLabelQueue, type Work } from "../api/labelling";
import { useTexts } from "../i18n";
import { ClipAnnotator } from "../labelling/ClipAnnotator";
import { PictureAnnotator } from "../labelling/PictureAnnotator";
import { useLetters } from "../outbox/Letters";
import { Refused } from "../outbox/Refused";
import { Nothing, Trouble } from "../parts/Trouble";
import "../review/review.css";
import "../labelling/labelling.css";

/** One picture or clip after the other, labelled or reviewed by keyboard. */
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
  const Annotator = task?.item.clip ? ClipAnnotator : PictureAnnotator;
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
