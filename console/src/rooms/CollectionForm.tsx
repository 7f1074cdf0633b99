import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Col, Form, InputNumber, Row, Select, Switch } from "antd";
import { useDepartments } from "../api/access";
import { call } from "../api/client";
import { type CollectionPolicy, REASONS } from "../api/labelling";
import { type TextKey, useTexts } from "../i18n";
import { CameraSelect } from "../parts/CameraSelect";
import { FormModal } from "../parts/FormModal";

const USUAL: CollectionPolicy = {
  active: true,
  cameras: [],
  departments: [],
  pictures: 12,
  shares: { random: 0.5, hourly: 0.25, uncertain: 0.25 },
  near: 0.35,
  within: 0.1,
  alike: 0.98,
  days: 90,
  timezone: "Asia/Shanghai",
  seed: 1,
};

interface Props {
  number: number;
  /** Null: there is none yet. */
  policy: CollectionPolicy | null;
  close: () => void;
}

/** Sets what a project collects; what the form does not ask stays as it is. */
export function CollectionForm({ number, policy, close }: Props) {
  const { t } = useTexts();
  const queries = useQueryClient();
  const departments = useDepartments().data ?? [];
  const [form] = Form.useForm<CollectionPolicy>();
  const before = policy ?? USUAL;
  const setting = useMutation({
    mutationFn: (asked: CollectionPolicy) =>
      call("put", "/api/labelling/projects/{number}/collection", {
        path: { number },
        body: {
          ...before,
          ...asked,
          shares: Object.fromEntries(REASONS.map((one) => [one, (asked.shares[one] ?? 0) / 100])),
        },
      }),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: ["labelling"] });
      close();
    },
  });
  const percent = Object.fromEntries(REASONS.map((one) => [one, 100 * (before.shares[one] ?? 0)]));
  return (
    <FormModal
      form={form}
      title={t("collect.set")}
      send={t("collect.save")}
      sending={setting.isPending}
      error={setting.error}
      initialValues={{ ...before, shares: percent }}
      onFinish={(asked: CollectionPolicy) => setting.mutate(asked)}
      close={close}
    >
      <Form.Item name="active" label={t("collect.active")} valuePropName="checked">
        <Switch />
      </Form.Item>
      <Form.Item name="departments" label={t("collect.departments")}>
        <Select mode="multiple" options={departments.map((one) => ({ value: one.id, label: one.name }))} />
      </Form.Item>
      <Form.Item name="cameras" label={t("collect.cameras")}>
        <CameraSelect value={[]} onChange={() => {}} placeholder={t("collect.cameras.all")} width={420} />
      </Form.Item>
      <Row gutter={16}>
        <Count name="pictures" most={240} />
        <Count name="days" most={36_500} />
        {REASONS.map((reason) => (
          <Col span={6} key={reason}>
            <Form.Item name={["shares", reason]} label={t(`collect.reason.${reason}` as TextKey)}>
              <InputNumber min={0} max={100} suffix="%" style={{ width: "100%" }} />
            </Form.Item>
          </Col>
        ))}
      </Row>
    </FormModal>
  );
}

function Count({ name, most }: { name: "pictures" | "days"; most: number }) {
  const { t } = useTexts();
  return (
    <Col span={12}>
      <Form.Item name={name} label={t(`collect.${name}` as TextKey)} rules={[{ required: true }]}>
        <InputNumber min={1} max={most} precision={0} style={{ width: "100%" }} />
      </Form.Item>
    </Col>
  );
}
