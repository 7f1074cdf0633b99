import { Button, Skeleton } from "antd";
import { useState } from "react";
import { useIncident, useIncidentAction } from "../api/cases";
import type { Schemas } from "../api/client";
import { useTexts } from "../i18n";
import { CaseStatus } from "../parts/Cases";
import { Trouble } from "../parts/Trouble";
import { ActionForm } from "./CaseAction";

type Action = Schemas["Action"];

/** A mass incident: the parent of its cases, and what is done to all of them at once. */
export function IncidentBar({ incident, leave }: { incident: number; leave: () => void }) {
  const { t, word } = useTexts();
  const { data, error, isPending, refetch } = useIncident(incident);
  const doing = useIncidentAction(incident);
  const [action, setAction] = useState<Action | null>(null);
  const offers = data?.offers ?? [];
  const wanted = offers.find((offer) => offer.action === action);
  return (
    <section className="panel" data-testid="incident" style={{ marginBottom: 16 }}>
      <div className="head">
        <h2 style={{ margin: 0 }}>{t("cases.incident", { n: incident })}</h2>
        <span className="dim number">{t("cases.count", { n: data?.cases ?? 0 })}</span>
        {Object.entries(data?.statuses ?? {}).map(([status, cases]) => (
          <span key={status} className="number">
            <CaseStatus status={status} />
            {cases}
          </span>
        ))}
        <Button className="push" size="small" onClick={leave}>
          {t("cases.incident.leave")}
        </Button>
      </div>
      {isPending ? <Skeleton active paragraph={{ rows: 1 }} /> : null}
      {error ? <Trouble error={error} retry={() => void refetch()} /> : null}
      <div className="actions" style={{ flexWrap: "wrap" }}>
        {offers.map((offer) => (
          <Button key={offer.action} danger={offer.action === "void"} onClick={() => setAction(offer.action)}>
            {t("cases.incident.do", { what: word("case.action", offer.action), n: offer.cases })}
          </Button>
        ))}
      </div>
      {action && wanted ? (
        <ActionForm
          key={action}
          doing={doing}
          about={t("cases.count", { n: wanted.cases })}
          action={action}
          needs={wanted.needs}
          done={() => setAction(null)}
        />
      ) : null}
    </section>
  );
}
