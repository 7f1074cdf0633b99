import { App, Button, Form, Input, Skeleton } from "antd";
import { useState } from "react";
import { useRights } from "../api/access";
import { type AlgorithmVersion, type Described, useEnterVersion, useParameters } from "../api/algorithms";
import { useTexts } from "../i18n";
import { FormModal } from "../parts/FormModal";
import { Trouble } from "../parts/Trouble";
import { VersionNote, VersionNumber } from "./VersionFields";

/** Other parameters of a rule become a version: production's, but for these. */
export function TuneVersion({ version }: { version: AlgorithmVersion }) {
  const { t } = useTexts();
  const may = useRights();
  const [asking, setAsking] = useState(false);
  if (version.stage !== "production" || !may("label")) return null;
  return (
    <>
      <Button size="small" style={{ marginBottom: 12 }} onClick={() => setAsking(true)}>
        {t("algos.tune")}
      </Button>
      {asking ? <TuneForm before={version} close={() => setAsking(false)} /> : null}
    </>
  );
}

interface Tuned {
  version: string;
  note: string;
  parameters: Record<string, string | undefined>;
}

function TuneForm({ before, close }: { before: AlgorithmVersion; close: () => void }) {
  const { t, word } = useTexts();
  const { message } = App.useApp();
  const [form] = Form.useForm<Tuned>();
  const known = useParameters(before.algorithm);
  const entering = useEnterVersion();
  const send = ({ version, note, parameters }: Tuned) => {
    const given: Record<string, string> = {};
    for (const [name, value] of Object.entries(parameters ?? {})) if (value?.trim()) given[name] = value;
    const body = { algorithm: before.algorithm, version, note, parameters: given };
    entering.mutate(body, {
      onSuccess: (made) => {
        void message.success(t("algos.tune.done", { version: made.version }));
        close();
      },
    });
  };
  return (
    <FormModal
      form={form}
      title={`${t("algos.tune")} · ${word("event", before.algorithm)} ${before.version}`}
      send={t("algos.enter")}
      sending={entering.isPending}
      error={entering.error}
      initialValues={{ note: "" }}
      onFinish={send}
      close={close}
    >
      <p className="dim">{t("algos.tune.how")}</p>
      <VersionNumber />
      {known.isPending ? <Skeleton active /> : null}
      {known.error ? <Trouble error={known.error} retry={() => void known.refetch()} /> : null}
      {known.data?.map((one) => (
        <Form.Item
          key={one.name}
          name={["parameters", one.name]}
          label={<span className="mono">{one.name}</span>}
          extra={one.about}
        >
          <Input placeholder={present(before, one)} maxLength={64} />
        </Form.Item>
      ))}
      <VersionNote />
    </FormModal>
  );
}

/** What production has. */
function present(version: AlgorithmVersion, { name, released }: Described): string {
  return String(version.parameters?.[name] ?? released ?? "–");
}
