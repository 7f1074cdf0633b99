import { CopyOutlined } from "@ant-design/icons";
import { Alert, Button, Input, Modal, Space } from "antd";
import { useTexts } from "../i18n";

/** Something that is shown here and nowhere else: a first password, a signing secret. */
export function ShownOnce({
  title,
  about,
  text,
  close,
}: {
  title: string;
  about: string;
  text: string;
  close: () => void;
}) {
  const { t } = useTexts();
  return (
    <Modal open title={title} footer={null} closable={false} keyboard={false}>
      <Alert type="warning" showIcon title={about} style={{ marginBottom: 12 }} />
      <Space.Compact block>
        <Input value={text} readOnly className="mono" aria-label={title} data-testid="shown-once" />
        {navigator.clipboard ? (
          <Button icon={<CopyOutlined />} onClick={() => void navigator.clipboard.writeText(text)}>
            {t("shown.copy")}
          </Button>
        ) : null}
      </Space.Compact>
      <Button type="primary" block onClick={close} style={{ marginTop: 12 }}>
        {t("factor.kept")}
      </Button>
    </Modal>
  );
}
