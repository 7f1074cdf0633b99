import { Skeleton, Table, type TableColumnsType, Tag } from "antd";
import { Link } from "react-router";
import { type Handover, useHandovers } from "../api/shifts";
import { useTexts } from "../i18n";
import { More } from "../parts/More";
import { Nothing, Trouble } from "../parts/Trouble";
import { formatDuration, formatTime } from "../parts/time";

const COLOURS: Record<string, string> = {
  confirmed: "success",
  refused: "error",
  withdrawn: "default",
  waiting: "processing",
};

/** What became of a handover, and where it was late or without a signature. */
export function Outcome({ handover }: { handover: Handover }) {
  const { t, word } = useTexts();
  const answer = handover.answer ?? "waiting";
  return (
    <span className="shift-marks">
      <Tag color={COLOURS[answer] ?? "default"}>{word("shift.answer", answer)}</Tag>
      {handover.relief ? <Tag color="warning">{t("shift.relief")}</Tag> : null}
      {handover.late_s >= 60 && (answer === "confirmed" || answer === "waiting") ? (
        <span className="shift-late nowrap">
          {t("shift.late", { time: formatDuration(handover.late_s, t) })}
        </span>
      ) : null}
    </span>
  );
}

/** All handovers, also those that were refused or withdrawn. */
export function ShiftHistory() {
  const { t } = useTexts();
  const columns = useColumns();
  const { data, error, isPending, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useHandovers();
  return (
    <section className="panel" data-testid="handovers">
      <h2>{t("shift.history")}</h2>
      {isPending ? <Skeleton active /> : null}
      {error && !data ? <Trouble error={error} retry={() => void refetch()} /> : null}
      {data ? (
        <Table<Handover>
          rowKey="id"
          size="small"
          columns={columns}
          dataSource={data.pages.flatMap((page) => page.handovers)}
          pagination={false}
          locale={{ emptyText: <Nothing title={t("shift.history.none")} /> }}
        />
      ) : null}
      {hasNextPage ? <More loading={isFetchingNextPage} load={() => void fetchNextPage()} /> : null}
    </section>
  );
}

function useColumns(): TableColumnsType<Handover> {
  const { t, language } = useTexts();
  const moment = (utc: number | null | undefined) =>
    utc == null ? "–" : <span className="number nowrap">{formatTime(utc, language, false)}</span>;
  return [
    {
      title: t("shift.number"),
      width: 80,
      render: (_, one) => (
        <Link to={`/shift/${one.id}`} className="number">
          {one.id}
        </Link>
      ),
    },
    { title: t("shift.from"), render: (_, one) => one.shift.who },
    { title: t("shift.since"), render: (_, one) => moment(one.shift.opened_utc) },
    { title: t("shift.planned"), render: (_, one) => moment(one.shift.planned_end_utc) },
    { title: t("shift.signed"), render: (_, one) => moment(one.signed_utc) },
    { title: t("shift.open"), render: (_, one) => t("shift.open.late", { open: one.open, late: one.late }) },
    { title: t("shift.outcome"), render: (_, one) => <Outcome handover={one} /> },
    {
      title: t("shift.answered"),
      render: (_, one) =>
        one.answered_utc == null ? (
          "–"
        ) : (
          <>
            {one.answered_by} {moment(one.answered_utc)}
            {one.answer_note ? <div className="dim">{one.answer_note}</div> : null}
          </>
        ),
    },
  ];
}
