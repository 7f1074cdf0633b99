import { App, Button, Form } from "antd";
import { useState } from "react";
import { useRights } from "../api/access";
import { type Upload, useUploadVersion } from "../api/algorithms";
import { useTexts } from "../i18n";
import { FilePick } from "../parts/FilePick";
import { FormModal } from "../parts/FormModal";
import { VersionFields } from "./VersionFields";

/** A network from elsewhere becomes a version, once its file and its card have passed the check. */
export function UploadVersion() {
  const { t } = useTexts();
  const may = useRights();
  const [asking, setAsking] = useState(false);
  if (!may("label")) return null;
  return (
    <>
      <Button className="push" onClick={() => setAsking(true)}>
        {t("algos.upload")}
      </Button>
      {asking ? <UploadForm close={() => setAsking(false)} /> : null}
    </>
  );
}

function UploadForm({ close }: { close: () => void }) {
  const { t } = useTexts();
  const { message } = App.useApp();
  const [form] = Form.useForm<Upload>();
  const uploading = useUploadVersion();
  const send = (given: Upload) =>
    uploading.mutate(given, {
      onSuccess: ({ version, trial }) => {
        const ms = trial.ms_per_picture.toFixed(1);
        void message.success(t("algos.upload.done", { version: version.version, ms }));
        close();
      },
    });
  return (
    <FormModal
      form={form}
      title={t("algos.upload")}
      send={t("algos.upload.send")}
      sending={uploading.isPending}
      error={uploading.error}
      initialValues={{ note: "" }}
      onFinish={send}
      close={close}
    >
      <p className="dim">{t("algos.upload.how")}</p>
      <FileField name="model" accept=".onnx" />
      <FileField name="card" accept=".yaml,.yml" />
      <VersionFields />
    </FormModal>
  );
}

function FileField({ name, accept }: { name: "model" | "card"; accept: string }) {
  const { t } = useTexts();
  const label = t(`algos.${name}.file`);
  return (
    <Form.Item name={name} label={label} rules={[{ required: true, message: t("algos.file.needed") }]}>
      <FilePick label={label} accept={accept} choose={t("algos.file.choose")} />
    </Form.Item>
  );
}
