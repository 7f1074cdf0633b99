import { Button, Form } from "antd";
import { useState } from "react";
import { useNavigate } from "react-router";
import { useRights } from "../api/access";
import { type EnteredVersion, useEnterVersion } from "../api/algorithms";
import type { TrainingDetail } from "../api/trainings";
import { useTexts } from "../i18n";
import { FormModal } from "../parts/FormModal";
import { VersionFields } from "./VersionFields";

/** What a training has made becomes a version of an algorithm: production's, but for this network. */
export function EnterVersion({ training }: { training: TrainingDetail }) {
  const { t } = useTexts();
  const may = useRights();
  const [asking, setAsking] = useState(false);
  if (training.state !== "done" || !may("label")) return null;
  return (
    <>
      <Button type="primary" className="push" onClick={() => setAsking(true)}>
        {t("algos.enter")}
      </Button>
      {asking ? <EnterForm training={training} close={() => setAsking(false)} /> : null}
    </>
  );
}

function EnterForm({ training, close }: { training: TrainingDetail; close: () => void }) {
  const { t } = useTexts();
  const go = useNavigate();
  const [form] = Form.useForm<EnteredVersion>();
  const entering = useEnterVersion();
  return (
    <FormModal
      form={form}
      title={`${t("algos.enter")} · #${training.id} ${training.name}`}
      send={t("algos.enter")}
      sending={entering.isPending}
      error={entering.error}
      initialValues={{ note: "" }}
      onFinish={(given: EnteredVersion) =>
        entering.mutate({ ...given, training: training.id }, { onSuccess: () => void go("/algorithms") })
      }
      close={close}
    >
      <p className="dim">{t("algos.enter.how")}</p>
      <VersionFields />
    </FormModal>
  );
}
