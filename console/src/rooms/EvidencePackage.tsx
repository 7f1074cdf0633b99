import { useMutation } from "@tanstack/react-query";
import { Button, Form, Input } from "antd";
import { download, type EventDetail } from "../api/client";
import { useTexts } from "../i18n";
import { Trouble } from "../parts/Trouble";

/** Takes the evidence out as a signed package; what for is asked, and kept. */
export function EvidencePackage({ event }: { event: EventDetail }) {
  const { t } = useTexts();
  const taken = useMutation({
    mutationFn: ({ purpose }: { purpose: string }) =>
      download(`/api/events/${event.id}/package`, { purpose }, `evidence-${event.id}.zip`),
  });
  if (event.evidence.length === 0) return null;
  return (
    <section className="panel">
      <h2>{t("package.title")}</h2>
      <p className="dim">{t("package.about")}</p>
      <Form layout="inline" onFinish={taken.mutate} disabled={taken.isPending}>
        <Form.Item
          name="purpose"
          label={t("package.purpose")}
          rules={[{ required: true, min: 4, max: 500, message: t("package.purpose.needed") }]}
        >
          <Input maxLength={500} style={{ width: 240 }} />
        </Form.Item>
        <Button htmlType="submit" loading={taken.isPending}>
          {t("package.take")}
        </Button>
      </Form>
      {taken.error ? <Trouble error={taken.error} /> : null}
    </section>
  );
}
