import { Timeline } from "antd";
import type { CaseDetail } from "../api/client";
import { useTexts } from "../i18n";
import { useDepartmentName } from "../parts/Cases";
import { formatDuration, formatTime } from "../parts/time";
import { CasePictures } from "./CasePictures";

/** What was done to a case, by whom, and what the place looked like; the newest first. */
export function CaseHistory({ detail }: { detail: CaseDetail }) {
  const { t, language, word } = useTexts();
  const department = useDepartmentName();
  const waiting = detail.looks.find((look) => look.result === null && look.until_utc > Date.now() / 1000);
  const items = [...detail.lines].reverse().map((line, index) => ({
    key: `${line.utc}-${index}`,
    color: line.late_s > 0 ? "red" : line.duty === "system" ? "gray" : "blue",
    content: (
      <div data-testid="case-line" data-action={line.action}>
        <div>
          {word("case.action", line.action)}{" "}
          <span className="dim number">{formatTime(line.utc, language)}</span>
          <span className="dim" title={line.who}>
            {" · "}
            {line.who === "system" ? t("cases.system") : (detail.names[line.who] ?? line.who)}
          </span>
        </div>
        {line.facts.department ? (
          <div className="dim">
            → {department(line.facts.department)} {line.facts.crew}
          </div>
        ) : null}
        {line.facts.verdict ? <div>{word("case.verdict", line.facts.verdict)}</div> : null}
        {line.facts.note ? <div className="dim">{line.facts.note}</div> : null}
        {line.late_s > 0 ? (
          <div style={{ color: "var(--bad)" }}>
            {t("cases.was_late", { time: formatDuration(line.late_s, t) })}
          </div>
        ) : null}
        {line.facts.before ? (
          <div className="before-after">
            <CasePictures detail={detail} keys={[line.facts.before]} caption={t("cases.before")} />
            <CasePictures detail={detail} keys={line.facts.pictures} caption={t("cases.after")} />
          </div>
        ) : (
          <CasePictures detail={detail} keys={line.facts.pictures} />
        )}
      </div>
    ),
  }));
  return (
    <section className="panel">
      <h2>{t("cases.history")}</h2>
      {waiting ? <p className="dim">{t("cases.looking")}</p> : null}
      <Timeline items={items} />
    </section>
  );
}
