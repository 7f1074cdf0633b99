import { NavLink } from "react-router";
import { useRights } from "../api/access";
import { useTexts } from "../i18n";
import "../review/review.css";

/** The two pages of review, as the heading of both. */
export function ReviewTabs() {
  const { t } = useTexts();
  const may = useRights();
  return (
    <h1 className="tabs">
      {may("judge") ? (
        <NavLink className="tab" to="/review" end>
          {t("review.title")}
        </NavLink>
      ) : null}
      <NavLink className="tab" to="/review/rates">
        {t("rates.title")}
      </NavLink>
    </h1>
  );
}
