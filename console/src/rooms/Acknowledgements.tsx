import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Button } from "antd";
import { useDepartmentNames, useRights } from "../api/access";
import { call, type EventDetail } from "../api/client";
import { useTexts } from "../i18n";
import { Trouble } from "../parts/Trouble";
import { formatTime } from "../parts/time";
import { useSession } from "../session";

/** Which departments have seen an event. It holds nothing back: that is what silences are for. */
export function Acknowledgements({ event }: { event: EventDetail }) {
  const { t, language } = useTexts();
  const names = useDepartmentNames();
  const may = useRights()("subscribe");
  const own = useSession().me?.department ?? event.department;
  const queries = useQueryClient();
  const key = ["acknowledgements", event.id];
  const path = { event_id: event.id };
  const { data } = useQuery({
    queryKey: key,
    queryFn: () => call("get", "/api/events/{event_id}/acknowledgements", { path }),
    refetchInterval: 15_000,
  });
  const saying = useMutation({
    mutationFn: () =>
      call("post", "/api/events/{event_id}/acknowledgements", {
        path,
        body: { department: own, note: "" },
      }),
    onSuccess: () => queries.invalidateQueries({ queryKey: key }),
  });
  if (!data || (data.length === 0 && !may)) return null;
  const seen = data.some((one) => one.department === own);
  return (
    <section className="panel" data-testid="acknowledgements">
      <h2>{t("ack.title")}</h2>
      <ul className="lines">
        {data.map((one) => (
          <li key={`${one.department} ${one.utc}`}>
            {names[one.department] ?? one.department}
            <span className="dim">
              {" "}
              · {one.who} · {formatTime(one.utc, language)}
            </span>
          </li>
        ))}
      </ul>
      {may && !seen ? (
        <div className="actions">
          <Button loading={saying.isPending} onClick={() => saying.mutate()}>
            {t("ack.say", { department: names[own] ?? own })}
          </Button>
          <span className="dim">{t("ack.about")}</span>
        </div>
      ) : null}
      {saying.error ? <Trouble error={saying.error} /> : null}
    </section>
  );
}
