import { Collapse, Form, Input, InputNumber, Select } from "antd";
import type { Schemas } from "../api/client";
import { useTexts } from "../i18n";
import { NumbersField } from "../parts/NumbersField";

type Kind = Schemas["NewSubscription"]["channel"]["kind"];
const BY: Schemas["Grouping"]["by"][] = ["all", "type", "camera", "grid"];
const HOUR_S = 3600;

/** What most subscriptions leave as it is: groups, credentials, and what happens when a delivery fails. */
export function SubscriptionMore({ kind, changing }: { kind: Kind | undefined; changing: boolean }) {
  const { t } = useTexts();
  if (!kind) return null;
  return (
    <Collapse
      ghost
      size="small"
      defaultActiveKey={changing ? "more" : undefined}
      items={[
        {
          key: "more",
          label: t("subs.more"),
          forceRender: true, // the fields are part of the form, seen or not
          children: (
            <>
              {kind === "sse" ? null : <Groups />}
              {kind === "sse" ? null : (
                <Form.Item
                  name={["channel", "credentials"]}
                  label={t("subs.credentials")}
                  extra={t("subs.credentials.how")}
                >
                  <Input placeholder="delivery-…" />
                </Form.Item>
              )}
              {kind === "stream" ? (
                <Form.Item name={["channel", "length"]} label={t("subs.length")}>
                  <InputNumber min={1} max={1_000_000} precision={0} placeholder="10000" />
                </Form.Item>
              ) : null}
              <Retry kind={kind} />
            </>
          ),
        },
      ]}
    />
  );
}

function Groups() {
  const { t, word } = useTexts();
  const by = Form.useWatch(["grouping", "by"]) as string | undefined;
  return (
    <>
      <Form.Item name={["grouping", "by"]} label={t("subs.grouping")} extra={t("subs.grouping.how")}>
        <Select
          allowClear
          placeholder={t("subs.grouping.none")}
          options={BY.map((value) => ({ value, label: word("subs.by", value) }))}
        />
      </Form.Item>
      {by ? (
        <Form.Item
          name={["grouping", "window_s"]}
          label={t("subs.window")}
          rules={[{ required: true, message: t("login.required") }]}
        >
          <InputNumber min={0.1} max={3600} suffix={t("unit.s")} />
        </Form.Item>
      ) : null}
    </>
  );
}

/** What happens to a delivery that failed; what is left empty is as the server has it. */
function Retry({ kind }: { kind: Kind }) {
  const { t } = useTexts();
  const numbers = [
    {
      validator: (_: unknown, given: number[] | undefined) =>
        given?.some(Number.isNaN) ? Promise.reject(new Error(t("subs.numbers.wrong"))) : Promise.resolve(),
    },
  ];
  const age = (
    <Form.Item
      name={["retry", "max_age_s"]}
      label={t("subs.retry.max_age")}
      getValueProps={(seconds?: number) => ({ value: seconds == null ? undefined : seconds / HOUR_S })}
      normalize={(hours: number | null) => (hours == null ? undefined : hours * HOUR_S)}
    >
      <InputNumber min={0.01} max={720} suffix={t("unit.h")} placeholder="72" />
    </Form.Item>
  );
  if (kind === "sse") return age; // nothing is sent: only its age ends what nobody fetches
  return (
    <>
      <Form.Item
        name={["retry", "delays_s"]}
        label={t("subs.retry.delays")}
        extra={t("subs.retry.delays.how")}
        rules={numbers}
      >
        <NumbersField placeholder="1, 5, 15, 30, 60, 120, 300" />
      </Form.Item>
      <Form.Item name={["retry", "jitter"]} label={t("subs.retry.jitter")}>
        <InputNumber min={0} max={1} step={0.05} placeholder="0.2" />
      </Form.Item>
      <Form.Item name={["retry", "max_attempts"]} label={t("subs.retry.max_attempts")}>
        <InputNumber min={1} max={100_000} precision={0} placeholder="1000" />
      </Form.Item>
      {age}
      {kind === "webhook" ? (
        <Form.Item
          name={["retry", "permanent"]}
          label={t("subs.retry.permanent")}
          extra={t("subs.retry.permanent.how")}
          rules={numbers}
        >
          <NumbersField placeholder="400, 413, 415, 422" />
        </Form.Item>
      ) : null}
    </>
  );
}
