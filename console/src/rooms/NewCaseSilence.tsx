import { useMutation } from "@tanstack/react-query";
import { Form, Input, Select, Skeleton } from "antd";
import { useDeferredValue } from "react";
import { type Silenced, useCasePreview, useRereadCaseSilences } from "../api/caseSilences";
import { call } from "../api/client";
import { useTexts } from "../i18n";
import { CameraSelect } from "../parts/CameraSelect";
import { FormModal } from "../parts/FormModal";
import { MomentField } from "../parts/MomentField";
import { Trouble } from "../parts/Trouble";
import { TYPES } from "./filters";
import { UncasedEvents } from "./UncasedEvents";

interface Fields extends Partial<Silenced> {
  from?: number | null;
  until?: number | null;
  note?: string;
}

function aboutOf({ types = [], cameras = [], grids = [] }: Fields): Silenced {
  return { types, cameras, grids };
}

/** Making a silence of cases; what it would have kept from the centre is seen before it is kept. */
export function NewCaseSilence({ close }: { close: () => void }) {
  const { t, word } = useTexts();
  const reread = useRereadCaseSilences();
  const [form] = Form.useForm<Fields>();
  const fields = Form.useWatch([], form) as Fields | undefined;
  const making = useMutation({
    mutationFn: (given: Fields) =>
      call("post", "/api/case-silences", {
        body: {
          ...aboutOf(given),
          note: given.note?.trim() ?? "",
          from_utc: given.from ?? null,
          until_utc: given.until as number,
        },
      }),
    onSuccess: () => {
      void reread();
      close();
    },
  });
  const required = [{ required: true, message: t("login.required") }];
  return (
    <FormModal<Fields>
      form={form}
      title={t("case_silences.new")}
      send={t("silences.begin")}
      sending={making.isPending}
      error={making.error}
      close={close}
      onFinish={making.mutate}
      initialValues={{}}
      width={720}
      below={<Preview fields={fields ?? {}} />}
    >
      <div className="silence-form">
        <Form.Item name="types" label={t("events.type")}>
          <Select
            mode="multiple"
            placeholder={t("grants.any")}
            options={TYPES.map((value) => ({ value, label: word("event", value) }))}
          />
        </Form.Item>
        <Form.Item name="cameras" label={t("events.camera")}>
          <Cameras />
        </Form.Item>
        <Form.Item name="grids" label={t("subs.grids")}>
          <Select mode="tags" placeholder={t("grants.any")} tokenSeparators={[" ", ",", "，"]} />
        </Form.Item>
        <Form.Item name="from" label={t("silences.from")} extra={t("silences.from.now")}>
          <MomentField />
        </Form.Item>
        <Form.Item
          name="until"
          label={t("silences.until")}
          extra={t("case_silences.until.how")}
          dependencies={["from"]}
          rules={[
            ...required,
            {
              validator: (_, until: number | null | undefined) => {
                const from: number = form.getFieldValue("from") ?? Date.now() / 1000;
                return until == null || until > from
                  ? Promise.resolve()
                  : Promise.reject(new Error(t("silences.until.wrong")));
              },
            },
          ]}
        >
          <MomentField />
        </Form.Item>
      </div>
      <Form.Item name="note" label={t("silences.note")} rules={[{ ...required[0], whitespace: true }]}>
        <Input maxLength={2000} placeholder={t("silences.note.example")} />
      </Form.Item>
    </FormModal>
  );
}

/** `CameraSelect` as a field of a form. */
function Cameras(props: { value?: string[]; onChange?: (ids: string[]) => void }) {
  const { t } = useTexts();
  return (
    <CameraSelect
      value={props.value ?? []}
      onChange={props.onChange ?? (() => undefined)}
      placeholder={t("grants.any")}
      width={320}
    />
  );
}

function Preview({ fields }: { fields: Fields }) {
  const { t } = useTexts();
  const about = useDeferredValue(JSON.stringify(aboutOf(fields)));
  const { data, error } = useCasePreview(JSON.parse(about) as Silenced);
  return (
    <section className="panel silence-preview" aria-live="polite" data-testid="silence-preview">
      <h2>{t("silences.preview")}</h2>
      {error ? <Trouble error={error} /> : null}
      {!data && !error ? <Skeleton active paragraph={{ rows: 1 }} /> : null}
      {data ? (
        <>
          <p>{t("case_silences.preview.count", { n: data.count, cases: data.began })}</p>
          <UncasedEvents of={data} />
        </>
      ) : null}
    </section>
  );
}
