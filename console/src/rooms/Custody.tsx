import { useInfiniteQuery } from "@tanstack/react-query";
import { Button, Skeleton } from "antd";
import { useState } from "react";
import { call, type EventDetail, type Schemas } from "../api/client";
import { useTexts } from "../i18n";
import { Trouble } from "../parts/Trouble";
import { formatTime } from "../parts/time";

/** What was done with the evidence, by whom and why. Asked for when it is opened: reading it is audited. */
export function Custody({ event }: { event: EventDetail }) {
  const { t } = useTexts();
  const [open, setOpen] = useState(false);
  if (event.evidence.length === 0) return null;
  return (
    <section className="panel" data-testid="custody">
      <details open={open} onToggle={(e) => setOpen(e.currentTarget.open)}>
        <summary style={{ cursor: "pointer", fontWeight: 600 }}>{t("custody.title")}</summary>
        {open ? <Lines id={event.id} /> : null}
      </details>
    </section>
  );
}

function Lines({ id }: { id: string }) {
  const { t } = useTexts();
  const { data, error, isPending, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } =
    useInfiniteQuery({
      queryKey: ["custody", id],
      queryFn: ({ pageParam }) =>
        call("get", "/api/events/{event_id}/custody", {
          path: { event_id: id },
          query: { before: pageParam, limit: 20 },
        }),
      initialPageParam: undefined as number | undefined,
      getNextPageParam: (page) => page.next_before ?? undefined,
      refetchOnWindowFocus: false,
    });
  if (isPending) return <Skeleton active />;
  if (!data) return <Trouble error={error} retry={() => void refetch()} />;
  return (
    <>
      <ul className="lines">
        {data.pages
          .flatMap((page) => page.lines)
          .map((line) => (
            <Line key={line.id} line={line} />
          ))}
      </ul>
      {hasNextPage ? (
        <Button block loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          {t("list.more")}
        </Button>
      ) : null}
    </>
  );
}

function Line({ line }: { line: Schemas["CustodyLine"] }) {
  const { language, word } = useTexts();
  const captured = line.act === "captured";
  return (
    <li>
      <span className="number dim">{formatTime(line.utc, language)}</span> <b>{word("custody", line.act)}</b>{" "}
      {word("detail", line.role)}
      {line.kind ? ` (${word("custody.kind", line.kind)})` : ""} · {line.who}
      {line.why ? <span className="dim"> · {captured ? word("event", line.why) : line.why}</span> : null}
      <div className="mono dim">{line.sha256.slice(0, 16)}…</div>
    </li>
  );
}
