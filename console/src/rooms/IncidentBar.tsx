import { Button, Skeleton } from "antd";
import { useState } from "react";
import { useCaseBook, useIncident, useIncidentAction } from "../api/cases";
import type { Schemas } from "../api/client";
import { useTexts } from "../i18n";
import { CaseStatus } from "../parts/Cases";
import { Trouble } from "../parts/Trouble";
import { ActionForm } from "./CaseAction";

type Action = Schemas["Action"];

interface Possible {
  needs: readonly string[];
  cases: number;
}

/** What can be done to how many cases of these; pictures are of one place, so what needs them is done one by one. */
function possible(
  steps: Schemas["CaseBook"]["steps"],
  rows: readonly Schemas["CaseTally"][],
): Map<Action, Possible> {
  const found = new Map<Action, Possible>();
  for (const row of rows) {
    for (const [action, needs] of Object.entries(steps[row.value] ?? {})) {
      if (needs.includes("pictures")) continue;
      const known = found.get(action as Action)?.cases ?? 0;
      found.set(action as Action, { needs, cases: known + row.cases });
    }
  }
  return found;
}

/** A mass incident: the parent of its cases, and what is done to all of them at once. */
export function IncidentBar({ incident, leave }: { incident: number; leave: () => void }) {
  const { t, word } = useTexts();
  const { data, error, isPending, refetch } = useIncident(incident);
  const steps = useCaseBook().data?.steps ?? {};
  const doing = useIncidentAction(incident);
  const [action, setAction] = useState<Action | null>(null);
  const rows = data?.rows ?? [];
  const can = possible(steps, rows);
  const wanted = action ? can.get(action) : undefined;
  return (
    <section className="panel" data-testid="incident" style={{ marginBottom: 16 }}>
      <div className="head">
        <h2 style={{ margin: 0 }}>{t("cases.incident", { n: incident })}</h2>
        <span className="dim number">
          {t("cases.count", { n: rows.reduce((sum, row) => sum + row.cases, 0) })}
        </span>
        {rows.map((row) => (
          <span key={row.value} className="number">
            <CaseStatus status={row.value} />
            {row.cases}
          </span>
        ))}
        <Button className="push" size="small" onClick={leave}>
          {t("cases.incident.leave")}
        </Button>
      </div>
      {isPending ? <Skeleton active paragraph={{ rows: 1 }} /> : null}
      {error ? <Trouble error={error} retry={() => void refetch()} /> : null}
      <div className="actions" style={{ flexWrap: "wrap" }}>
        {[...can].map(([name, { cases }]) => (
          <Button key={name} danger={name === "void"} onClick={() => setAction(name)}>
            {t("cases.incident.do", { what: word("case.action", name), n: cases })}
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
