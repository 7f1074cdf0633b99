import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Button, Form, Input, InputNumber, Select, Skeleton, Table, Tag } from "antd";
import { useState } from "react";
import { Link } from "react-router";
import { call } from "../api/client";
import { type LabelProject, type NewLabelProject, useLabelProjects } from "../api/labelling";
import { useTexts } from "../i18n";
import { FormModal } from "../parts/FormModal";
import { Nothing, Trouble } from "../parts/Trouble";
import { formatTime } from "../parts/time";

export const STATES = ["open", "labelled", "rejected", "accepted"] as const;
const COLOURS = { open: "default", labelled: "blue", rejected: "red", accepted: "green" } as const;

/** What is labelled, and how far it is. */
export function LabellingRoom() {
  const { t, word, language } = useTexts();
  const { data, error, isPending, refetch } = useLabelProjects();
  const [making, setMaking] = useState(false);
  return (
    <div className="page">
      <div className="head">
        <h1>{t("label.title")}</h1>
        <Button className="push" type="primary" onClick={() => setMaking(true)}>
          {t("label.new")}
        </Button>
      </div>
      <section className="panel">
        <p className="dim">{t("label.about")}</p>
        {isPending ? <Skeleton active /> : null}
        {error && !data ? <Trouble error={error} retry={() => void refetch()} /> : null}
        {data?.length === 0 ? <Nothing title={t("label.empty")} text={t("label.empty.how")} /> : null}
        {data?.length ? (
          <Table<LabelProject>
            rowKey="id"
            size="small"
            pagination={false}
            dataSource={data}
            columns={[
              {
                title: t("label.name"),
                render: (_, one) => <Link to={`/labelling/${one.id}`}>{one.name}</Link>,
              },
              { title: t("label.task"), render: (_, one) => word("label.task", one.task) },
              { title: t("label.classes"), render: (_, one) => one.classes.join("、") },
              { title: t("label.progress"), render: (_, one) => <Counts counts={one.counts} /> },
              {
                title: t("label.author"),
                render: (_, one) => `${one.author} · ${formatTime(one.created_utc, language)}`,
              },
            ]}
          />
        ) : null}
      </section>
      {making ? <NewProject close={() => setMaking(false)} /> : null}
    </div>
  );
}

export function Counts({ counts }: { counts: LabelProject["counts"] }) {
  const { t } = useTexts();
  return (
    <>
      {STATES.map((state) => (
        <Tag key={state} color={COLOURS[state]}>
          {t(`label.state.${state}`)} {counts[state] ?? 0}
        </Tag>
      ))}
    </>
  );
}

const EMPTY: NewLabelProject = {
  name: "",
  task: "detect",
  kinds: ["box"],
  classes: [],
  people: 1,
  note: "",
};

function NewProject({ close }: { close: () => void }) {
  const { t } = useTexts();
  const queries = useQueryClient();
  const [form] = Form.useForm<NewLabelProject>();
  const making = useMutation({
    mutationFn: (body: NewLabelProject) =>
      call("post", "/api/labelling/projects", { body: { ...EMPTY, ...body } }),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: ["labelling"] });
      close();
    },
  });
  return (
    <FormModal
      form={form}
      title={t("label.new")}
      send={t("label.new")}
      sending={making.isPending}
      error={making.error}
      initialValues={EMPTY}
      onFinish={(body: NewLabelProject) => making.mutate(body)}
      close={close}
    >
      <Form.Item name="name" label={t("label.name")} rules={[{ required: true, max: 80 }]}>
        <Input autoFocus />
      </Form.Item>
      <Form.Item name="classes" label={t("label.classes")} rules={[{ required: true }]}>
        <Select mode="tags" tokenSeparators={[",", "，", "、"]} open={false} />
      </Form.Item>
      <Form.Item name="kinds" label={t("label.kinds")} rules={[{ required: true }]}>
        <Select
          mode="multiple"
          options={(["box", "polygon", "tag", "track", "interval"] as const).map((kind) => ({
            value: kind,
            label: t(`label.kind.${kind}`),
          }))}
        />
      </Form.Item>
      <Form.Item name="task" label={t("label.task")}>
        <Select
          options={(["detect", "segment", "classify"] as const).map((task) => ({
            value: task,
            label: t(`label.task.${task}`),
          }))}
        />
      </Form.Item>
      <Form.Item name="people" label={t("label.people")}>
        <InputNumber min={1} max={5} />
      </Form.Item>
    </FormModal>
  );
}
