import { Alert, Button } from "antd";
import { ApiError, FileChanged, NetworkError, type Problem } from "../api/client";
import { type Texts, useTexts } from "../i18n";

/** What a code means to a person; what exactly is wrong is said below it in the server's words. */
const MEANINGS = {
  stale_revision: "error.stale",
  cannot_act: "error.cannot_act",
  config_error: "error.wrong",
  invalid: "error.wrong",
  evidence_waiting: "error.evidence_waiting",
  evidence_deleted: "error.evidence_deleted",
  snapshot_gone: "error.snapshot_gone",
  masking_failed: "error.masking",
  viewing_copy_failed: "error.copy",
  network_refused: "error.network_refused",
} as const;

function meaning(code: string) {
  return code in MEANINGS ? MEANINGS[code as keyof typeof MEANINGS] : null;
}

/** An error in plain words, in the reader's language where we know the case, else in the server's. */
export function explain(error: unknown, t: Texts["t"]): { title: string; text: string } {
  if (error instanceof FileChanged)
    return { title: t("error.file_changed", { name: error.message }), text: "" };
  if (error instanceof NetworkError) return { title: t("error.network"), text: "" };
  if (error instanceof ApiError) {
    if (error.status === 429) return { title: t("login.wait", { s: error.retryAfter ?? 1 }), text: "" };
    if (error.status === 401) return { title: t("error.session"), text: "" };
    if (error.status === 403 && error.problem.code === "forbidden") {
      return { title: t("error.forbidden"), text: t("error.forbidden.how") };
    }
    const { code, detail, fix } = error.problem;
    const known = meaning(code);
    if (known) return { title: t(known), text: [detail, fix].filter(Boolean).join("; ") };
    if (error.status === 404) return { title: t("error.not_found"), text: t("error.not_found.how") };
    if (error.status === 503) return { title: t("error.unavailable"), text: error.problem.detail };
    return { title: detail, text: fix };
  }
  return { title: t("error.title"), text: String(error) };
}

/** The same in one line, for a passing message. */
export function inOneLine(error: unknown, t: Texts["t"]): string {
  const { title, text } = explain(error, t);
  return text ? `${title} (${text})` : title;
}

/** Why something that was asked for was not done. */
export function Refusal({ error }: { error: unknown }) {
  const { t } = useTexts();
  const { title, text } = explain(error, t);
  const refused = error instanceof ApiError && error.problem.code === "network_refused";
  const told = refused ? <Faults of={error.problem} /> : text || undefined;
  return <Alert className="refusal" type="error" showIcon title={title} description={told} />;
}

/** Every fault with its place and what to do, where there may be many. */
function Faults({ of }: { of: Problem }) {
  return (
    <ul data-testid="faults">
      {of.faults?.map((one) => (
        <li key={`${one.field} ${one.message}`}>
          <span className="mono">{one.field}</span> {one.message}
          {one.fix ? <div className="dim">{one.fix}</div> : null}
        </li>
      ))}
    </ul>
  );
}

/** Shown in the place of what could not be had. */
export function Trouble({ error, retry }: { error: unknown; retry?: () => void }) {
  const { t } = useTexts();
  const { title, text } = explain(error, t);
  return (
    <Alert
      type="error"
      showIcon
      title={title}
      description={text || undefined}
      action={retry ? <Button onClick={retry}>{t("error.retry")}</Button> : undefined}
    />
  );
}

/** Nothing here, and what to do about it. */
export function Nothing({ title, text }: { title: string; text?: string }) {
  return (
    <div className="empty">
      <strong>{title}</strong>
      {text ? <span>{text}</span> : null}
    </div>
  );
}
