import { Col, Form, Input, InputNumber, Row, Select } from "antd";
import { useState } from "react";
import { useNavigate } from "react-router";
import { useDatasets } from "../api/datasets";
import { type NewTraining, useSubmitTraining } from "../api/trainings";
import { useTexts } from "../i18n";
import { FormModal } from "../parts/FormModal";
import { formatTime } from "../parts/time";

type Settings = NonNullable<NewTraining["settings"]>;
type Classifier = NonNullable<NewTraining["classifier"]>;
type Head = NonNullable<NewTraining["head"]>;
type Segmenter = NonNullable<NewTraining["segmenter"]>;
/** By what of the body a training is asked for. */
type Kind = "settings" | "classifier" | "head" | "segmenter";
const DETECTORS: NonNullable<Settings["network"]>[] = ["yolo11n", "yolo11s", "yolo11m"];
const CLASSIFIERS: NonNullable<Classifier["network"]>[] = ["yolo11n-cls", "yolo11s-cls", "yolo11m-cls"];
const SEGMENTERS: NonNullable<Segmenter["network"]>[] = ["yolo11n-seg", "yolo11s-seg", "yolo11m-seg"];
const DEVICES: NonNullable<Settings["device"]>[] = ["cpu", "cuda"];
const USUAL_OF_ALL = {
  epochs: 50,
  batch: 16,
  rate: 0.001,
  optimizer: "AdamW",
  seed: 1,
  threads: 2,
  workers: 0,
  calibrate: 300,
  device: "cpu",
} as const;
const USUAL: Settings = { ...USUAL_OF_ALL, network: "yolo11n", size: 320, mosaic: 10 };
const USUAL_CLASSIFIER: Classifier = { ...USUAL_OF_ALL, network: "yolo11n-cls", size: 224 };
const USUAL_SEGMENTER: Segmenter = { ...USUAL_OF_ALL, network: "yolo11n-seg", size: 320, mosaic: 10 };
const USUAL_HEAD: Head = {
  steps: 400,
  batch: 12,
  rate: 0.002,
  variations: 4,
  every: 20,
  threads: 2,
  seed: 1,
};
const TRAINED = ["detect", "classify", "segment"];

/** What trains versions of a task; the first is the usual. */
function kindsOf(task: string | undefined): [Kind, ...Kind[]] {
  if (task === "segment") return ["head", "segmenter"];
  return task === "classify" ? ["classifier"] : ["settings"];
}

interface Props {
  /** Digest of the version that is chosen already. */
  dataset: string | null;
  close: () => void;
}

/** Asks for a training: of a detector on boxes, of a classifier on tags, of a decoder or a whole network on a mask; what
 * the form does not ask is as usual. */
export function NewTrainingForm({ dataset, close }: Props) {
  const { t, word, language } = useTexts();
  const versions = useDatasets();
  const go = useNavigate();
  const [form] = Form.useForm<NewTraining>();
  const asking = useSubmitTraining();
  const chosen = Form.useWatch("dataset", form);
  const task = versions.data?.find((one) => one.digest === chosen)?.task;
  const kinds = kindsOf(task);
  const [wanted, setWanted] = useState<Kind>();
  const kind = kinds.find((one) => one === wanted) ?? kinds[0];
  return (
    <FormModal
      form={form}
      title={t("train.new")}
      send={t("train.new")}
      sending={asking.isPending}
      error={asking.error}
      initialValues={{
        name: "",
        dataset: dataset ?? undefined,
        settings: USUAL,
        classifier: USUAL_CLASSIFIER,
        head: USUAL_HEAD,
        segmenter: USUAL_SEGMENTER,
      }}
      onFinish={(given: NewTraining) =>
        asking.mutate(asked(given, kind), { onSuccess: (made) => void go(`/trainings/${made.id}`) })
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
        {kinds.length > 1 ? (
          <Col span={24}>
            <Form.Item label={t("train.kind")}>
              <Select
                value={kind}
                onChange={setWanted}
                options={kinds.map((value) => ({ value, label: word("train.kind", value) }))}
              />
            </Form.Item>
          </Col>
        ) : null}
        {kind === "head" ? (
          <>
            <Count of="head" name="steps" min={1} max={100_000} />
            <Count of="head" name="variations" min={1} max={64} />
            <Count of="head" name="batch" min={1} max={256} />
            <Count of="head" name="rate" min={0.000001} max={0.999} step={0.0001} />
            <Count of="head" name="threads" min={1} max={256} />
            <Count of="head" name="seed" min={0} max={2 ** 31 - 1} />
          </>
        ) : (
          <Ultralytics of={kind} />
        )}
      </Row>
    </FormModal>
  );
}

/** What is sent: the settings of one kind alone. */
function asked({ settings, classifier, head, segmenter, ...what }: NewTraining, kind: Kind): NewTraining {
  if (kind === "head") return { ...what, head: { ...USUAL_HEAD, ...head } };
  if (kind === "segmenter") return { ...what, segmenter: { ...USUAL_SEGMENTER, ...segmenter } };
  if (kind === "classifier") return { ...what, classifier: { ...USUAL_CLASSIFIER, ...classifier } };
  return { ...what, settings: { ...USUAL, ...settings } };
}

interface UltralyticsProps {
  of: Exclude<Kind, "head">;
}

const NETWORKS = { settings: DETECTORS, classifier: CLASSIFIERS, segmenter: SEGMENTERS };

function Ultralytics({ of }: UltralyticsProps) {
  return (
    <>
      <Choice of={of} name="network" values={NETWORKS[of]} />
      <Choice of={of} name="device" values={DEVICES} />
      <Count of={of} name="size" min={64} max={1280} step={32} />
      <Count of={of} name="epochs" min={1} max={10_000} />
      <Count of={of} name="batch" min={1} max={1024} />
      <Count of={of} name="rate" min={0.000001} max={0.999} step={0.0001} />
      <Count of={of} name="threads" min={1} max={256} />
      <Count of={of} name="seed" min={0} max={2 ** 31 - 1} />
    </>
  );
}

interface ChoiceProps {
  of: UltralyticsProps["of"];
  name: "network" | "device";
  values: string[];
}

function Choice({ of, name, values }: ChoiceProps) {
  const { t } = useTexts();
  return (
    <Col span={12}>
      <Form.Item name={[of, name]} label={t(`train.setting.${name}`)}>
        <Select options={values.map((value) => ({ value, label: value }))} />
      </Form.Item>
    </Col>
  );
}

interface CountProps {
  of: Kind;
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
