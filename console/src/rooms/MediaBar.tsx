import { DownloadOutlined } from "@ant-design/icons";
import { Button, Form, Input } from "antd";
import { useState } from "react";
import { useRights } from "../api/access";
import { useTexts } from "../i18n";

/** Below a picture or clip: whether it is masked, and what is shown as a download. */
export function MediaBar({
  purpose,
  set,
  href,
  lost = false,
}: {
  purpose: string;
  set: (purpose: string) => void;
  href: string;
  lost?: boolean;
}) {
  const { t } = useTexts();
  return (
    <div className="head" style={{ marginTop: 4 }}>
      <Unmask purpose={purpose} set={set} />
      <Button
        className="push"
        size="small"
        type="text"
        icon={<DownloadOutlined />}
        href={href}
        download
        disabled={lost}
      >
        {t(purpose ? "detail.download" : "detail.download.masked")}
      </Button>
    </div>
  );
}

/** Says that bystanders are masked, and asks those who may see more what for. */
function Unmask({ purpose, set }: { purpose: string; set: (purpose: string) => void }) {
  const { t } = useTexts();
  const may = useRights()("unmask");
  const [asking, setAsking] = useState(false);
  if (purpose) {
    return (
      <span className="dim">
        {t("mask.off", { purpose })}{" "}
        <Button size="small" type="link" onClick={() => set("")}>
          {t("mask.on.again")}
        </Button>
      </span>
    );
  }
  return (
    <span className="dim">
      {t("mask.on")}{" "}
      {may && !asking ? (
        <Button size="small" type="link" onClick={() => setAsking(true)}>
          {t("mask.ask")}
        </Button>
      ) : null}
      {asking ? (
        <Form
          layout="inline"
          size="small"
          onFinish={({ why }: { why: string }) => {
            setAsking(false);
            set(why.trim());
          }}
        >
          <Form.Item
            name="why"
            label={t("package.purpose")}
            rules={[
              { required: true, whitespace: true, min: 4, max: 500, message: t("package.purpose.needed") },
            ]}
          >
            <Input maxLength={500} style={{ width: 200 }} />
          </Form.Item>
          <Button htmlType="submit">{t("mask.show")}</Button>
        </Form>
      ) : null}
    </span>
  );
}
