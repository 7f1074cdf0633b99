import { Tooltip } from "antd";
import { Link } from "react-router";
import { useTexts } from "../i18n";
import { formatHours } from "./time";

interface Props {
  hours: number;
  /** of the last 24 hours */
  lately?: boolean;
  /** leads to where it says which cameras and why */
  linked?: boolean;
}

/** What a count has to be read with: for how long nobody watched. */
export function NotWatched({ hours, lately = false, linked = false }: Props) {
  const { t } = useTexts();
  const h = formatHours(hours);
  const text = lately
    ? t(hours > 0 ? "cases.unwatched.lately" : "cases.unwatched.none", { h })
    : t(hours > 0 ? "events.unwatched" : "events.unwatched.none", { h });
  const style = { color: hours > 0 ? "var(--warn)" : "var(--dim)" };
  return (
    <Tooltip title={t("events.unwatched.why")}>
      {linked ? (
        <Link to="/health" data-testid="not-watched" style={style}>
          {text}
        </Link>
      ) : (
        <span className="number" data-testid="not-watched" style={style}>
          {text}
        </span>
      )}
    </Tooltip>
  );
}
