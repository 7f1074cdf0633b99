import { Alert, Button, Checkbox, Form, Input, InputNumber, Modal, Select } from "antd";
import { useState } from "react";
import { useCaseBook } from "../api/cases";
import { ApiError, call, type Schemas } from "../api/client";
import { useTexts } from "../i18n";
import { FormModal } from "../parts/FormModal";

type Fields = Required<Schemas["NewKey"]>;

const SCOPES: Schemas["Scope"][] = [
  "events:read",
  "evidence:read",
  "cases:read",
  "cases:write",
  "subscriptions:read",
  "subscriptions:write",
  "weather:write",
];

/** Making a key, and showing it once. */
export function NewKey({ close }: { close: () => void }) {
  const { t, word } = useTexts();
  const departments = useCaseBook().data?.departments ?? {};
  const [form] = Form.useForm<Fields>();
  const [text, setText] = useState<string | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);

  const make = async (wanted: Fields) => {
    setBusy(true);
    setError(null);
    try {
      const body = { ...wanted, department: wanted.department ?? null };
      setText((await call("post", "/api/keys", { body })).text);
    } catch (failure) {
      const fault = failure instanceof ApiError ? failure.problem.faults?.[0] : undefined;
      if (fault?.field === "department") form.setFields([{ name: "department", errors: [fault.message] }]);
      else setError(failure);
    }
    setBusy(false);
  };

  if (text) {
    return (
      <Modal open title={t("keys.made")} footer={null} closable={false} keyboard={false}>
        <Alert type="warning" showIcon title={t("keys.once")} style={{ marginBottom: 12 }} />
        <Input.TextArea value={text} readOnly autoSize className="mono" aria-label={t("keys.text")} />
        <p className="dim">{t("keys.how")}</p>
        <pre className="mono">Authorization: Bearer {text.slice(0, 10)}…</pre>
        <Button type="primary" block onClick={close}>
          {t("factor.kept")}
        </Button>
      </Modal>
    );
  }
  const required = [{ required: true, message: t("login.required") }];
  return (
    <FormModal<Fields>
      form={form}
      title={t("keys.new")}
      send={t("keys.make")}
      sending={busy}
      error={error}
      close={close}
      onFinish={make}
      initialValues={{ days: 365 }}
    >
      <Form.Item name="name" label={t("keys.name")} extra={t("keys.name.how")} rules={required}>
        <Input maxLength={80} autoFocus />
      </Form.Item>
      <Form.Item name="scopes" label={t("keys.scopes")} rules={required}>
        <Checkbox.Group
          className="scopes"
          options={SCOPES.map((scope) => ({ value: scope, label: word("scope", scope) }))}
        />
      </Form.Item>
      <Form.Item name="department" label={t("keys.department")} extra={t("keys.department.how")}>
        <Select
          allowClear
          placeholder={t("keys.department.all")}
          options={Object.entries(departments).map(([value, label]) => ({ value, label }))}
        />
      </Form.Item>
      <Form.Item name="days" label={t("keys.days")} rules={required}>
        <InputNumber min={1} max={730} precision={0} suffix={t("unit.d")} />
      </Form.Item>
    </FormModal>
  );
}
