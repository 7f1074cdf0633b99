import { useMutation } from "@tanstack/react-query";
import { App, Form } from "antd";
import { call } from "../api/client";
import { type Subscription, useReread } from "../api/subscriptions";
import { useTexts } from "../i18n";
import { FormModal } from "../parts/FormModal";
import { MomentField } from "../parts/MomentField";

interface Fields {
  since?: number | null;
  until?: number | null;
}

const DAY_S = 86_400;

/** Sends what was recorded in a window of time (again), as the subscription stands now. */
export function Replay({ of, close }: { of: Subscription; close: () => void }) {
  const { t } = useTexts();
  const { message } = App.useApp();
  const reread = useReread();
  const [form] = Form.useForm<Fields>();
  const sending = useMutation({
    mutationFn: ({ since, until }: Fields) =>
      call("post", "/api/subscriptions/{number}/replay", {
        path: { number: of.id },
        body: { since_utc: since as number, until_utc: until as number },
      }),
    onSuccess: ({ count }) => {
      void reread();
      void message.info(t("subs.counted", { n: count }));
      close();
    },
  });
  const now = Math.ceil(Date.now() / 60_000) * 60; // the field shows minutes
  const required = [{ required: true, message: t("login.required") }];
  return (
    <FormModal<Fields>
      form={form}
      title={t("subs.replay")}
      send={t("subs.replay.send")}
      sending={sending.isPending}
      error={sending.error}
      close={close}
      onFinish={sending.mutate}
      initialValues={{ since: now - DAY_S, until: now }}
    >
      <p className="dim">{t("subs.replay.how")}</p>
      <Form.Item name="since" label={t("subs.replay.since")} rules={required}>
        <MomentField />
      </Form.Item>
      <Form.Item
        name="until"
        label={t("subs.replay.until")}
        dependencies={["since"]}
        rules={[
          ...required,
          {
            validator: (_, until: number | null | undefined) =>
              until == null || until > (form.getFieldValue("since") ?? 0)
                ? Promise.resolve()
                : Promise.reject(new Error(t("subs.replay.wrong"))),
          },
        ]}
      >
        <MomentField />
      </Form.Item>
    </FormModal>
  );
}
