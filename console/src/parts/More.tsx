import { Button } from "antd";
import { useTexts } from "../i18n";

/** Below a list that goes on: loads its next page. */
export function More({ loading, load }: { loading: boolean; load: () => void }) {
  const { t } = useTexts();
  return (
    <div style={{ textAlign: "center", marginTop: 16 }}>
      <Button loading={loading} onClick={load}>
        {t("list.more")}
      </Button>
    </div>
  );
}
