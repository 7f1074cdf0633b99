import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Button, Input, Select, Tag } from "antd";
import { useState } from "react";
import { useRights } from "../api/access";
import { call } from "../api/client";
import { freshId } from "../api/retry";
import { useVerdicts, type Verdict, WHY, type Why } from "../api/review";
import { useTexts } from "../i18n";
import { Trouble } from "../parts/Trouble";
import { formatTime } from "../parts/time";

/** What people said of an event, the newest first, which counts; and the means to say something. */
export function Verdicts({ event }: { event: string }) {
  const { t } = useTexts();
  const may = useRights()("judge");
  const { data, error, refetch } = useVerdicts(event);
  if (!may && (data ?? []).length === 0 && !error) return null;
  return (
    <section className="panel" data-testid="verdicts">
      <h2>{t("verdict.title")}</h2>
      {error && !data ? <Trouble error={error} retry={() => void refetch()} /> : null}
      {data?.length === 0 ? <p className="dim">{t("verdict.none")}</p> : null}
      <ul className="lines">
        {(data ?? []).map((one, n) => (
          <Line key={one.id} verdict={one} counts={n === 0} />
        ))}
      </ul>
      {may ? <Say event={event} /> : null}
    </section>
  );
}

function Line({ verdict, counts }: { verdict: Verdict; counts: boolean }) {
  const { t, word, language } = useTexts();
  const real = verdict.kind === "real";
  return (
    <li className={counts ? undefined : "dim"}>
      <Tag color={counts ? (real ? "success" : "warning") : "default"}>
        {t(real ? "verdict.real" : "verdict.false_alarm")}
      </Tag>
      {verdict.reason ? word("verdict.why", verdict.reason) : null}
      {verdict.note ? ` · ${verdict.note}` : null}
      <div className="dim">
        {verdict.who} · {formatTime(verdict.utc, language)}
        {counts ? null : ` · ${t("verdict.corrected")}`}
      </div>
    </li>
  );
}

function Say({ event }: { event: string }) {
  const { t, word } = useTexts();
  const queries = useQueryClient();
  const [note, setNote] = useState("");
  const saying = useMutation({
    mutationFn: (said: { kind: "real" | "false_alarm"; reason: Why | null }) =>
      call("post", "/api/events/{event_id}/verdicts", {
        path: { event_id: event },
        body: { ...said, note, key: freshId() },
      }),
    onSuccess: () => {
      setNote("");
      void queries.invalidateQueries({ queryKey: ["verdicts", event] });
      void queries.invalidateQueries({ queryKey: ["review-queue"] });
    },
  });
  return (
    <>
      <div className="actions">
        <Button disabled={saying.isPending} onClick={() => saying.mutate({ kind: "real", reason: null })}>
          {t("verdict.real")}
        </Button>
        <Select<Why>
          aria-label={t("verdict.false_alarm")}
          placeholder={t("verdict.false_alarm")}
          value={null}
          disabled={saying.isPending}
          onChange={(reason) => saying.mutate({ kind: "false_alarm", reason })}
          options={WHY.map((why) => ({ value: why, label: word("verdict.why", why) }))}
          style={{ width: 190 }}
        />
        <Input
          aria-label={t("cases.note")}
          placeholder={t("verdict.note")}
          maxLength={500}
          value={note}
          onChange={(e) => setNote(e.target.value)}
          style={{ width: 220 }}
        />
      </div>
      {saying.error ? <Trouble error={saying.error} /> : null}
    </>
  );
}
