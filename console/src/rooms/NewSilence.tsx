import { useMutation } from "@tanstack/react-query";
import { Form, Select, Skeleton } from "antd";
import { useDeferredValue } from "react";
import { useDepartments } from "../api/access";
import { ApiError, call } from "../api/client";
import { usePreview, useRereadSilences, type NewSilence as Wanted } from "../api/silences";
import { useSubscriptions } from "../api/subscriptions";
import { useTexts } from "../i18n";
import { FormModal } from "../parts/FormModal";
import { Trouble } from "../parts/Trouble";
import { HiddenEvents } from "./HiddenEvents";
import { AboutFields, NoteField, SpanFields } from "./SilenceParts";

interface Fields {
  department?: string;
  subscription?: number;
  wanted?: { types?: string[]; cameras?: string[]; zones?: string[]; grids?: string[] };
  from?: number | null;
  until?: number | null;
  note?: string;
}

/** Which silence it would be, without its times; null before it is said whose. */
function aboutOf(fields: Fields): Omit<Wanted, "from_utc" | "until_utc"> | null {
  if (!fields.department) return null;
  const { types = [], cameras = [], zones = [], grids = [] } = fields.wanted ?? {};
  return {
    department: fields.department,
    subscription: fields.subscription ?? null,
    wanted: { types, cameras, zones, grids } as Wanted["wanted"],
    note: "",
  };
}

/** What the server is asked; null before all is said. `from` is now where it is left out. */
function silenceOf(fields: Fields, now: number): Wanted | null {
  const about = aboutOf(fields);
  if (!about || fields.until == null) return null;
  return { ...about, note: fields.note?.trim() ?? "", from_utc: fields.from ?? now, until_utc: fields.until };
}

/** Making a silence; what it would have hidden is seen before it is kept. */
export function NewSilence({ close }: { close: () => void }) {
  const { t } = useTexts();
  const reread = useRereadSilences();
  const departments = (useDepartments().data ?? []).filter((one) => one.mine);
  const [form] = Form.useForm<Fields>();
  const fields = Form.useWatch([], form) as Fields | undefined;
  const subscriptions = (useSubscriptions().data ?? []).filter(
    (one) => one.department === fields?.department,
  );
  const making = useMutation({
    mutationFn: (body: Wanted) => call("post", "/api/silences", { body }),
    onSuccess: () => {
      void reread();
      close();
    },
    onError: (error) => {
      for (const fault of error instanceof ApiError ? (error.problem.faults ?? []) : []) {
        form.setFields([
          { name: fault.field.split(".") as never, errors: [`${fault.message} ${fault.fix}`] },
        ]);
      }
    },
  });
  const required = [{ required: true, message: t("login.required") }];
  const any = { mode: "tags" as const, placeholder: t("grants.any"), tokenSeparators: [" ", ",", "，"] };
  return (
    <FormModal<Fields>
      form={form}
      title={t("silences.new")}
      send={t("silences.begin")}
      sending={making.isPending}
      error={making.error}
      close={close}
      onFinish={(done) => {
        const asked = silenceOf(done, Date.now() / 1000);
        if (asked) making.mutate(asked);
      }}
      initialValues={{ department: departments.length === 1 ? departments[0]?.id : undefined }}
      width={720}
      below={<Preview fields={fields ?? {}} />}
    >
      <div className="silence-form">
        <Form.Item name="department" label={t("subs.department")} rules={required}>
          <Select
            onChange={() => form.setFieldValue("subscription", undefined)}
            options={departments.map((one) => ({ value: one.id, label: one.name }))}
          />
        </Form.Item>
        <Form.Item name="subscription" label={t("silences.subscription")}>
          <Select
            allowClear
            placeholder={t("silences.all_subscriptions")}
            options={subscriptions.map((one) => ({ value: one.id, label: one.name }))}
          />
        </Form.Item>
        <AboutFields types={["wanted", "types"]} cameras={["wanted", "cameras"]} />
        <Form.Item name={["wanted", "zones"]} label={t("grants.zones")}>
          <Select {...any} />
        </Form.Item>
        <Form.Item name={["wanted", "grids"]} label={t("subs.grids")}>
          <Select {...any} />
        </Form.Item>
        <SpanFields how="silences.until.how" />
      </div>
      <NoteField most={500} />
    </FormModal>
  );
}

/** What it would have hidden of the last seven days: that depends on what it is about, not on when it is. */
function Preview({ fields }: { fields: Fields }) {
  const { t } = useTexts();
  const about = useDeferredValue(JSON.stringify(aboutOf(fields)));
  const asked = JSON.parse(about) as ReturnType<typeof aboutOf>;
  const { data, error } = usePreview(asked && { ...asked, from_utc: 0, until_utc: 3600 });
  return (
    <section className="panel silence-preview" aria-live="polite" data-testid="silence-preview">
      <h2>{t("silences.preview")}</h2>
      {asked === null ? <p className="dim">{t("silences.preview.first")}</p> : null}
      {error ? <Trouble error={error} /> : null}
      {asked !== null && !data && !error ? <Skeleton active paragraph={{ rows: 1 }} /> : null}
      {data ? (
        <>
          <p>{t("silences.preview.count", { n: data.count })}</p>
          <HiddenEvents of={data} />
        </>
      ) : null}
    </section>
  );
}
