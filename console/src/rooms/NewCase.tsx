import { Form, Input, Segmented, Select } from "antd";
import { useNavigate } from "react-router";
import { useCaseBook, useNewCase } from "../api/cases";
import { ApiError, type Schemas } from "../api/client";
import { useCamera } from "../api/queries";
import { useTexts } from "../i18n";
import { CameraSelect } from "../parts/CameraSelect";
import { FormModal } from "../parts/FormModal";

const SEVERITIES = ["info", "minor", "major", "critical"] as const;

interface Fields extends Partial<Omit<Schemas["NewCaseBody"], "camera">> {
  /** One at most. */
  cameras?: string[];
}

/** A case that no camera saw: by somebody at the centre, or for a call to the hotline. */
export function NewCase({ close }: { close: () => void }) {
  const { t, word, language } = useTexts();
  const navigate = useNavigate();
  const making = useNewCase();
  const categories = useCaseBook().data?.categories ?? [];
  const [form] = Form.useForm<Fields>();
  const [camera = ""] = (Form.useWatch("cameras", form) as string[] | undefined) ?? [];
  const seen = useCamera(camera, camera !== "").data;
  const save = ({ cameras, ...said }: Fields) =>
    making.mutate({ ...said, camera: cameras?.[0] ?? "" } as Schemas["NewCaseBody"], {
      onSuccess: (made) => {
        close();
        void navigate(`/cases/${made.case.id}`);
      },
      onError: (error) => {
        for (const fault of error instanceof ApiError ? (error.problem.faults ?? []) : []) {
          const name = fault.field === "camera" ? "cameras" : fault.field;
          form.setFields([{ name: name as never, errors: [`${fault.message} ${fault.fix}`] }]);
        }
      },
    });
  const required = [{ required: true, whitespace: true, message: t("login.required") }];
  return (
    <FormModal<Fields>
      form={form}
      title={t("cases.new")}
      send={t("cases.new.send")}
      sending={making.isPending}
      error={making.error}
      close={close}
      onFinish={save}
      initialValues={{ source: "hotline", severity: "minor", zone: "", grid: "" }}
      width={640}
    >
      <Form.Item name="source" label={t("cases.source")}>
        <Segmented
          options={(["hotline", "manual"] as const).map((value) => ({
            value,
            label: word("case.source", value),
          }))}
        />
      </Form.Item>
      <div className="new-case-pair">
        <Form.Item name="category" label={t("cases.category")} rules={required}>
          <Select
            showSearch={{ optionFilterProp: "label" }}
            options={categories.map((one) => ({ value: one.code, label: one.name[language] ?? one.code }))}
          />
        </Form.Item>
        <Form.Item name="severity" label={t("events.severity")}>
          <Select options={SEVERITIES.map((value) => ({ value, label: word("severity", value) }))} />
        </Form.Item>
      </div>
      <Form.Item name="address" label={t("cases.address")} rules={required}>
        <Input maxLength={200} />
      </Form.Item>
      <Form.Item name="note" label={t("cases.note")} rules={required}>
        <Input.TextArea rows={3} maxLength={2000} />
      </Form.Item>
      <div className="new-case-pair">
        <Form.Item
          name="grid"
          label={t("cases.grid")}
          extra={seen?.grid ? t("cases.grid.of_camera") : undefined}
        >
          <Input maxLength={40} placeholder={seen?.grid} />
        </Form.Item>
        <Form.Item name="cameras" label={t("cases.camera")} valuePropName="value" initialValue={[]}>
          <Chosen placeholder={t("cases.camera")} />
        </Form.Item>
        {seen && seen.zones.length > 0 ? (
          <Form.Item name="zone" label={t("events.zone")}>
            <Select
              options={[
                { value: "", label: t("missed.zone.none") },
                ...seen.zones.map((one) => ({ value: one.id, label: one.name || one.id })),
              ]}
            />
          </Form.Item>
        ) : null}
      </div>
    </FormModal>
  );
}

/** One camera, in a form. */
function Chosen({
  value = [],
  onChange = () => {},
  placeholder,
}: {
  value?: string[];
  onChange?: (ids: string[]) => void;
  placeholder: string;
}) {
  return <CameraSelect value={value} onChange={onChange} placeholder={placeholder} width={280} most={1} />;
}
