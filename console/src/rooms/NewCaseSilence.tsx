import { useMutation } from "@tanstack/react-query";
import { Form, Select, Skeleton } from "antd";
import { useDeferredValue } from "react";
import { type Silenced, useCasePreview, useRereadCaseSilences } from "../api/caseSilences";
import { call } from "../api/client";
import { useTexts } from "../i18n";
import { FormModal } from "../parts/FormModal";
import { Trouble } from "../parts/Trouble";
import { AboutFields, NoteField, SpanFields } from "./SilenceParts";
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
  const { t } = useTexts();
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
        <AboutFields types="types" cameras="cameras" />
        <Form.Item name="grids" label={t("subs.grids")}>
          <Select mode="tags" placeholder={t("grants.any")} tokenSeparators={[" ", ",", "，"]} />
        </Form.Item>
        <SpanFields how="case_silences.until.how" />
      </div>
      <NoteField most={2000} />
    </FormModal>
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
