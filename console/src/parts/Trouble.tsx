import { Alert, Button } from "antd";
import { ApiError, NetworkError } from "../api/client";
import { type Texts, useTexts } from "../i18n";

/** An error in plain words, in the reader's language where we know the case, else in the server's. */
export function explain(error: unknown, t: Texts["t"]): { title: string; text: string } {
  if (error instanceof NetworkError) return { title: t("error.network"), text: "" };
  if (error instanceof ApiError) {
    if (error.status === 429) return { title: t("login.wait", { s: error.retryAfter ?? 1 }), text: "" };
    if (error.status === 401) return { title: t("error.session"), text: "" };
    if (error.status === 403 && error.problem.code === "forbidden") {
      return { title: t("error.forbidden"), text: t("error.forbidden.how") };
    }
    if (error.status === 404) return { title: t("error.not_found"), text: t("error.not_found.how") };
    if (error.status === 503) return { title: t("error.unavailable"), text: error.problem.detail };
    return { title: error.problem.detail, text: error.problem.fix };
  }
  return { title: t("error.title"), text: String(error) };
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
