import { useMutation } from "@tanstack/react-query";
import { Form, Input, InputNumber, Select } from "antd";
import { useState } from "react";
import { useDepartments } from "../api/access";
import { ApiError, call, type Schemas } from "../api/client";
import { useReread } from "../api/subscriptions";
import { useTexts } from "../i18n";
import type { Hours } from "../parts/calendar";
import { FormModal } from "../parts/FormModal";
import { HoursField } from "../parts/HoursField";
import { TYPES } from "./filters";
import { ShownOnce } from "./ShownOnce";

type Channel = Schemas["NewSubscription"]["channel"];
interface Fields {
  department: string;
  name: string;
  channel: { kind: Channel["kind"]; url?: string; topic?: string; key?: string };
  wanted: {
    types: string[];
    cameras: string[];
    zones: string[];
    grids: string[];
    severities: Schemas["Severity"][];
    hours: Hours | null;
  };
  cooldown_s?: number;
}

const KINDS: Channel["kind"][] = ["webhook", "mqtt", "stream", "sse"];
const SEVERITIES: Schemas["Severity"][] = ["info", "minor", "major", "critical"];
const ADDRESS: Partial<Record<Channel["kind"], string>> = {
  webhook: "https://…",
  mqtt: "mqtts://…:8883",
  stream: "rediss://…:6379/0",
};

/** Making a subscription; a webhook's signing secret is shown once. */
export function NewSubscription({ close }: { close: () => void }) {
  const { t, word } = useTexts();
  const reread = useReread();
  const departments = useDepartments().data ?? [];
  const [form] = Form.useForm<Fields>();
  const kind = Form.useWatch(["channel", "kind"], form);
  const [secret, setSecret] = useState<string | null>(null);
  const making = useMutation({
    mutationFn: (fields: Fields) =>
      call("post", "/api/subscriptions", {
        // What is left out has the server's default.
        body: { ...fields, cooldown_s: fields.cooldown_s ?? 0 } as Schemas["NewSubscription"],
      }),
    onSuccess: (made) => {
      void reread();
      if (made.secret) setSecret(made.secret);
      else close();
    },
    onError: (error) => {
      for (const fault of error instanceof ApiError ? (error.problem.faults ?? []) : []) {
        // The server names the kind of the channel in the path of its fields.
        const name = fault.field.split(".").filter((part) => !KINDS.includes(part as Channel["kind"]));
        form.setFields([{ name: name as never, errors: [`${fault.message} ${fault.fix}`.trim()] }]);
      }
    },
  });
  if (secret)
    return <ShownOnce title={t("subs.made")} about={t("subs.secret.once")} text={secret} close={close} />;
  const required = [{ required: true, message: t("login.required") }];
  const any = { placeholder: t("grants.any"), tokenSeparators: [" ", ",", "，"] };
  return (
    <FormModal<Fields>
      form={form}
      title={t("subs.new")}
      send={t("people.save")}
      sending={making.isPending}
      error={making.error}
      close={close}
      onFinish={making.mutate}
      initialValues={{
        channel: { kind: "webhook" },
        wanted: { types: [], cameras: [], zones: [], grids: [], severities: [], hours: null },
      }}
    >
      <Form.Item name="name" label={t("subs.name")} rules={required}>
        <Input maxLength={80} autoFocus />
      </Form.Item>
      <Form.Item name="department" label={t("subs.department")} rules={required}>
        <Select
          options={departments.filter((one) => one.mine).map((one) => ({ value: one.id, label: one.name }))}
        />
      </Form.Item>
      <Form.Item name={["channel", "kind"]} label={t("subs.channel")} rules={required}>
        <Select options={KINDS.map((value) => ({ value, label: word("channel", value) }))} />
      </Form.Item>
      {kind && ADDRESS[kind] ? (
        <Form.Item
          name={["channel", "url"]}
          label={t("subs.url")}
          extra={kind === "stream" ? t("subs.url.own") : undefined}
          rules={kind === "stream" ? [] : required}
        >
          <Input placeholder={ADDRESS[kind]} />
        </Form.Item>
      ) : null}
      {kind === "mqtt" ? (
        <Form.Item name={["channel", "topic"]} label={t("subs.topic")} rules={required}>
          <Input placeholder="cityvision/events" />
        </Form.Item>
      ) : null}
      {kind === "stream" ? (
        <Form.Item name={["channel", "key"]} label={t("subs.key")}>
          <Input />
        </Form.Item>
      ) : null}
      <Form.Item name={["wanted", "types"]} label={t("events.type")}>
        <Select
          mode="multiple"
          {...any}
          options={TYPES.map((value) => ({ value, label: word("event", value) }))}
        />
      </Form.Item>
      <Form.Item name={["wanted", "severities"]} label={t("events.severity")}>
        <Select
          mode="multiple"
          {...any}
          options={SEVERITIES.map((value) => ({ value, label: word("severity", value) }))}
        />
      </Form.Item>
      <Form.Item name={["wanted", "cameras"]} label={t("grants.cameras")}>
        <Select mode="tags" {...any} />
      </Form.Item>
      <Form.Item name={["wanted", "zones"]} label={t("grants.zones")}>
        <Select mode="tags" {...any} />
      </Form.Item>
      <Form.Item name={["wanted", "grids"]} label={t("subs.grids")}>
        <Select mode="tags" {...any} />
      </Form.Item>
      <Form.Item name={["wanted", "hours"]} label={t("hours.title")} extra={t("hours.how")}>
        <HoursField />
      </Form.Item>
      {kind === "sse" ? null : (
        <Form.Item name="cooldown_s" label={t("subs.cooldown")} extra={t("subs.cooldown.how")}>
          <InputNumber min={0} max={604_800} suffix={t("unit.s")} />
        </Form.Item>
      )}
    </FormModal>
  );
}
