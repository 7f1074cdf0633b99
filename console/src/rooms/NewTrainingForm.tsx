import { Col, Form, Input, InputNumber, Row, Select } from "antd";
import { useNavigate } from "react-router";
import { useDatasets } from "../api/datasets";
import { type NewTraining, useSubmitTraining } from "../api/trainings";
import { useTexts } from "../i18n";
import { FormModal } from "../parts/FormModal";
import { formatTime } from "../parts/time";

type Settings = NonNullable<NewTraining["settings"]>;
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

interface Props {
  /** Digest of the version that is chosen already. */
  dataset: string | null;
  close: () => void;
}

/** Asks for a training; what the form does not ask is as usual. */
export function NewTrainingForm({ dataset, close }: Props) {
  const { t, language } = useTexts();
  const versions = useDatasets();
  const go = useNavigate();
  const [form] = Form.useForm<NewTraining>();
  const asking = useSubmitTraining();
  const options = (values: string[]) => values.map((value) => ({ value, label: value }));
  return (
    <FormModal
      form={form}
      title={t("train.new")}
      send={t("train.new")}
      sending={asking.isPending}
      error={asking.error}
      initialValues={{ name: "", dataset: dataset ?? undefined, settings: USUAL }}
      onFinish={({ settings, ...what }: NewTraining) =>
        asking.mutate(
          { ...what, settings: { ...USUAL, ...settings } },
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
            .filter((one) => one.task === "detect")
            .map((one) => ({
              value: one.digest,
              label: `${one.name} ${one.digest.slice(0, 12)} · ${formatTime(one.created_utc, language)}`,
            }))}
        />
      </Form.Item>
      <Row gutter={16}>
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
        <Count name="size" min={64} max={1280} step={32} />
        <Count name="epochs" min={1} max={10_000} />
        <Count name="batch" min={1} max={1024} />
        <Count name="rate" min={0.000001} max={0.999} step={0.0001} />
        <Count name="threads" min={1} max={256} />
        <Count name="seed" min={0} max={2 ** 31 - 1} />
      </Row>
    </FormModal>
  );
}

interface CountProps {
  name: "size" | "epochs" | "batch" | "rate" | "threads" | "seed";
  min: number;
  max: number;
  step?: number;
}

function Count({ name, min, max, step = 1 }: CountProps) {
  const { t } = useTexts();
  return (
    <Col span={12}>
      <Form.Item name={["settings", name]} label={t(`train.setting.${name}`)} rules={[{ required: true }]}>
        <InputNumber min={min} max={max} step={step} style={{ width: "100%" }} />
      </Form.Item>
    </Col>
  );
}
