import { useMutation } from "@tanstack/react-query";
import { Form, Input, InputNumber, Select } from "antd";
import { useState } from "react";
import { useDepartments } from "../api/access";
import { ApiError, call, type Schemas } from "../api/client";
import { type Subscription, useReread } from "../api/subscriptions";
import { useTexts } from "../i18n";
import type { Hours } from "../parts/calendar";
import { FormModal } from "../parts/FormModal";
import { HoursField } from "../parts/HoursField";
import { TYPES } from "./filters";
import { ShownOnce } from "./ShownOnce";
import { SubscriptionMore } from "./SubscriptionMore";

type Channel = Schemas["NewSubscription"]["channel"];
interface Fields {
  department: string;
  name: string;
  channel: {
    kind: Channel["kind"];
    url?: string;
    topic?: string;
    key?: string;
    credentials?: string | null;
    length?: number | null;
  };
  wanted: {
    types: string[];
    cameras: string[];
    zones: string[];
    grids: string[];
    severities: Schemas["Severity"][];
    transitions: Schemas["Transition"][];
    hours: Hours | null;
  };
  cooldown_s?: number;
  grouping?: { by?: Schemas["Grouping"]["by"]; window_s?: number } | null;
  retry?: Partial<Record<keyof Schemas["RetryPolicy"], unknown>>;
}

const KINDS: Channel["kind"][] = ["webhook", "mqtt", "stream", "sse"];
const SEVERITIES: Schemas["Severity"][] = ["info", "minor", "major", "critical"];
const TRANSITIONS: Schemas["Transition"][] = ["opened", "updated", "closed"];
const ADDRESS: Partial<Record<Channel["kind"], string>> = {
  webhook: "https://…",
  mqtt: "mqtts://…:8883",
  stream: "rediss://…:6379/0",
};

const NOTHING_YET: Partial<Fields> = {
  channel: { kind: "webhook" },
  wanted: { types: [], cameras: [], zones: [], grids: [], severities: [], transitions: [], hours: null },
};

interface Props {
  /** The one that is changed; none: a new one is made, whose signing secret is shown once. */
  of?: Subscription;
  close: () => void;
}

/** Making a subscription, or changing one. */
export function SubscriptionForm({ of, close }: Props) {
  const { t, word } = useTexts();
  const reread = useReread();
  const departments = useDepartments().data ?? [];
  const [form] = Form.useForm<Fields>();
  const kind = Form.useWatch(["channel", "kind"], form);
  const [secret, setSecret] = useState<string | null>(null);
  const saving = useMutation({
    mutationFn: (fields: Fields) => (of ? change(of, fields) : make(fields)),
    onSuccess: (made) => {
      void reread();
      if (made) setSecret(made);
      else close();
    },
    onError: (error) => {
      for (const fault of error instanceof ApiError ? (error.problem.faults ?? []) : []) {
        form.setFields([
          { name: nameOf(fault.field) as never, errors: [`${fault.message} ${fault.fix}`.trim()] },
        ]);
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
      title={of ? t("subs.change") : t("subs.new")}
      send={t("people.save")}
      sending={saving.isPending}
      error={saving.error}
      close={close}
      onFinish={saving.mutate}
      initialValues={of ?? NOTHING_YET}
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
        <Select
          disabled={!!of} // who wants another kind makes another subscription
          options={KINDS.map((value) => ({ value, label: word("channel", value) }))}
        />
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
      <Form.Item name={["wanted", "transitions"]} label={t("subs.transitions")}>
        <Select
          mode="multiple"
          {...any}
          options={TRANSITIONS.map((value) => ({ value, label: word("transition", value) }))}
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
      <SubscriptionMore kind={kind} changing={!!of} />
    </FormModal>
  );
}

/** The new one's signing secret, where its channel has one. */
async function make(fields: Fields): Promise<string | null> {
  const body = bodyOf(fields);
  return (await call("post", "/api/subscriptions", { body })).secret ?? null;
}

async function change(of: Subscription, fields: Fields): Promise<null> {
  const { department, name, wanted, channel, retry, cooldown_s, grouping, enabled } = of;
  const before = { department, name, wanted, channel, retry, cooldown_s, grouping, enabled };
  await call("put", "/api/subscriptions/{number}", {
    path: { number: of.id },
    body: { revision: of.revision, subscription: bodyOf(fields, before) },
  });
  return null;
}

/** What is sent: of `before` stays what the form does not ask for; what neither says has the server's default. */
function bodyOf(fields: Fields, before?: Schemas["NewSubscription"]): Schemas["NewSubscription"] {
  const { url, credentials, length, ...channel } = { ...before?.channel, ...fields.channel };
  const { by, window_s } = fields.grouping ?? {};
  return {
    ...before,
    ...fields,
    channel: {
      ...channel,
      url: url || undefined,
      credentials: credentials || undefined,
      length: length ?? undefined,
    },
    cooldown_s: fields.cooldown_s ?? 0,
    grouping: by ? { by, window_s } : null,
    retry: told(fields.retry ?? {}),
  } as Schemas["NewSubscription"];
}

/** The fields in which something is written. */
function told(fields: object): object | undefined {
  const written = Object.entries(fields).filter(([, value]) => value != null);
  return written.length > 0 ? Object.fromEntries(written) : undefined;
}

/** The form's name of a field that the server found fault with: it puts the kind into a channel's path. */
function nameOf(field: string): string[] {
  const left = ["subscription", ...KINDS] as string[];
  return field.split(".").filter((part) => !left.includes(part));
}
