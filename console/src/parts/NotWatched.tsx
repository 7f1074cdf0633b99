import { Tooltip } from "antd";
import { useUnwatched } from "../api/queries";
import { useTexts } from "../i18n";
import { formatHours } from "./time";

/** How long the cameras that one may see were not watched in the last hours: stands beside every count of what they saw. */
export function NotWatched({ hours }: { hours: number }) {
  const { t } = useTexts();
  const lost = useUnwatched(hours).data?.total.hours;
  if (lost === undefined) return null;
  return (
    <Tooltip title={t("events.unwatched.why")}>
      <span
        className="number"
        data-testid="not-watched"
        style={{ color: lost > 0 ? "var(--warn)" : "var(--dim)" }}
      >
        {lost > 0 ? t("events.unwatched", { h: formatHours(lost) }) : t("events.unwatched.none")}
      </span>
    </Tooltip>
  );
}
