import { useInfiniteQuery } from "@tanstack/react-query";
import { Button, Skeleton } from "antd";
import { useState } from "react";
import { call, type Schemas } from "../api/client";
import { useTexts } from "../i18n";
import { Trouble } from "../parts/Trouble";
import { formatTime } from "../parts/time";

/** Whose evidence: an event's, or the pictures of a case. */
export type EvidenceOf = { event: string } | { case: number };

function page(about: EvidenceOf, before: number | undefined) {
  return "event" in about
    ? call("get", "/api/events/{event_id}/custody", {
        path: { event_id: about.event },
        query: { before, limit: 20 },
      })
    : call("get", "/api/cases/{number}/custody", { path: { number: about.case } });
}

/** What was done with the evidence, by whom and why. Asked for when it is opened: reading it is audited. */
export function Custody({ about }: { about: EvidenceOf }) {
  const { t } = useTexts();
  const [open, setOpen] = useState(false);
  return (
    <section className="panel" data-testid="custody">
      <details open={open} onToggle={(e) => setOpen(e.currentTarget.open)}>
        <summary style={{ cursor: "pointer", fontWeight: 600 }}>{t("custody.title")}</summary>
        {open ? <Lines about={about} /> : null}
      </details>
    </section>
  );
}

function Lines({ about }: { about: EvidenceOf }) {
  const { t } = useTexts();
  const { data, error, isPending, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } =
    useInfiniteQuery({
      queryKey: ["custody", about],
      queryFn: ({ pageParam }) => page(about, pageParam),
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
