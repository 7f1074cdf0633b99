import { Alert, Button, Input, Modal } from "antd";
import type { Schemas } from "../api/client";
import { useTexts } from "../i18n";

/** The first password of an account: shown here and nowhere else. */
export function FirstPassword({ made, close }: { made: Schemas["NewPersonOut"]; close: () => void }) {
  const { t } = useTexts();
  return (
    <Modal open title={made.person.name} footer={null} closable={false} keyboard={false}>
      <Alert type="warning" showIcon title={t("people.once")} style={{ marginBottom: 12 }} />
      <Input value={made.password} readOnly className="mono" aria-label={t("people.password")} />
      <Button type="primary" block onClick={close} style={{ marginTop: 12 }}>
        {t("factor.kept")}
      </Button>
    </Modal>
  );
}
