import { Button } from "antd";
import { Link } from "react-router";
import { useTexts } from "../i18n";
import { useLetters } from "./Letters";
import { type Letter, nameOf } from "./letters";

/** What the server did not take: shown until somebody decides. */
export function Refused() {
  const { t } = useTexts();
  const { stuck, retry, drop } = useLetters();
  return (
    <>
      {stuck.map((one) => (
        <div className="panel refused" key={nameOf(one)} role="alert">
          <About letter={one} />：{one.why}
          <span className="actions">
            <Button size="small" onClick={() => retry(one)}>
              {t("error.retry")}
            </Button>
            <Button size="small" onClick={() => drop(one)}>
              {t("review.refused.drop")}
            </Button>
          </span>
        </div>
      ))}
    </>
  );
}

function About({ letter }: { letter: Letter }) {
  const { t } = useTexts();
  if (letter.to === "verdict")
    return <Link to={`/events/${letter.event}`}>{t("review.refused.verdict")}</Link>;
  if (letter.to === "missed") return t("review.refused.missed");
  return t("label.refused", { n: letter.item });
}
