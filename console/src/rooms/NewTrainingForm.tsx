import { Col, Form, Input, InputNumber, Row, Select } from "antd";
import { useNavigate } from "react-router";
import { useDatasets } from "../api/datasets";
import { type NewTraining, useSubmitTraining } from "../api/trainings";
import { useTexts } from "../i18n";
import { FormModal } from "../parts/FormModal";
import { formatTime } from "../parts/time";

type Settings = NonNullable<NewTraining["settings"]>;
type Head = NonNullable<NewTraining["head"]>;
const NETWORKS: NonNullable<Settings["network"]>[] = ["yolo11n", "yolo11s", "yolo11m"];
const DEVICES: NonNullable<Settings["device"]>[] = ["cpu", "cuda"];
const USUAL: Settings = {
  network: "yolo11n",
  size: 320,
  epochs: 50,
  batch: 16,
  rate: 0.001,
  optimizer: "AdamW",
  mosaic: 10,
  seed: 1,
  threads: 2,
  workers: 0,
  calibrate: 300,
  device: "cpu",
};

const USUAL_HEAD: Head = {
  steps: 400,
  batch: 12,
  rate: 0.002,
  variations: 4,
  every: 20,
  threads: 2,
  seed: 1,
};
const TRAINED = ["detect", "segment"];

interface Props {
  /** Digest of the version that is chosen already. */
  dataset: string | null;
  close: () => void;
}

/** Asks for a training: of a detector on boxes, of a decoder on a mask; what the form does not ask is as usual. */
export function NewTrainingForm({ dataset, close }: Props) {
  const { t, language } = useTexts();
  const versions = useDatasets();
  const go = useNavigate();
  const [form] = Form.useForm<NewTraining>();
  const asking = useSubmitTraining();
  const chosen = Form.useWatch("dataset", form);
  const segments = versions.data?.find((one) => one.digest === chosen)?.task === "segment";
  const options = (values: string[]) => values.map((value) => ({ value, label: value }));
  return (
    <FormModal
      form={form}
      title={t("train.new")}
      send={t("train.new")}
      sending={asking.isPending}
      error={asking.error}
      initialValues={{ name: "", dataset: dataset ?? undefined, settings: USUAL, head: USUAL_HEAD }}
      onFinish={({ settings, head, ...what }: NewTraining) =>
        asking.mutate(
          segments
            ? { ...what, head: { ...USUAL_HEAD, ...head } }
            : { ...what, settings: { ...USUAL, ...settings } },
          { onSuccess: (made) => void go(`/trainings/${made.id}`) },
        )
      }
      close={close}
    >
      <Form.Item name="name" label={t("train.name")} rules={[{ required: true, max: 80 }]}>
        <Input autoFocus />
      </Form.Item>
      <Form.Item name="dataset" label={t("train.dataset")} rules={[{ required: true }]}>
        <Select
          loading={versions.isPending}
          showSearch={{ optionFilterProp: "label" }}
          options={(versions.data ?? [])
            .filter((one) => TRAINED.includes(one.task))
            .map((one) => ({
              value: one.digest,
              label: `${one.name} ${one.digest.slice(0, 12)} · ${formatTime(one.created_utc, language)}`,
            }))}
        />
      </Form.Item>
      <Row gutter={16}>
        {segments ? (
          <>
            <Count of="head" name="steps" min={1} max={100_000} />
            <Count of="head" name="variations" min={1} max={64} />
            <Count of="head" name="batch" min={1} max={256} />
            <Count of="head" name="rate" min={0.000001} max={0.999} step={0.0001} />
            <Count of="head" name="threads" min={1} max={256} />
            <Count of="head" name="seed" min={0} max={2 ** 31 - 1} />
          </>
        ) : (
          <>
            <Col span={12}>
              <Form.Item name={["settings", "network"]} label={t("train.setting.network")}>
                <Select options={options(NETWORKS)} />
              </Form.Item>
            </Col>
            <Col span={12}>
              <Form.Item name={["settings", "device"]} label={t("train.setting.device")}>
                <Select options={options(DEVICES)} />
              </Form.Item>
            </Col>
            <Count of="settings" name="size" min={64} max={1280} step={32} />
            <Count of="settings" name="epochs" min={1} max={10_000} />
            <Count of="settings" name="batch" min={1} max={1024} />
            <Count of="settings" name="rate" min={0.000001} max={0.999} step={0.0001} />
            <Count of="settings" name="threads" min={1} max={256} />
            <Count of="settings" name="seed" min={0} max={2 ** 31 - 1} />
          </>
        )}
      </Row>
    </FormModal>
  );
}

interface CountProps {
  of: "settings" | "head";
  name: "size" | "epochs" | "batch" | "rate" | "threads" | "seed" | "steps" | "variations";
  min: number;
  max: number;
  step?: number;
}

function Count({ of, name, min, max, step = 1 }: CountProps) {
  const { t } = useTexts();
  return (
    <Col span={12}>
      <Form.Item name={[of, name]} label={t(`train.setting.${name}`)} rules={[{ required: true }]}>
        <InputNumber min={min} max={max} step={step} style={{ width: "100%" }} />
      </Form.Item>
    </Col>
  );
}
