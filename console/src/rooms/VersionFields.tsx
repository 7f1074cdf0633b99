import { Form, Input, Select } from "antd";
import { useVersions } from "../api/algorithms";
import { useTexts } from "../i18n";

/** What a version of an algorithm is asked for in every form: which, its number and a note. */
export function VersionFields() {
  const { t, word } = useTexts();
  const versions = useVersions();
  const standing = (versions.data ?? []).filter((one) => one.stage === "production");
  return (
    <>
      <Form.Item name="algorithm" label={t("algos.algorithm")} rules={[{ required: true }]}>
        <Select
          loading={versions.isPending}
          options={standing.map((one) => ({
            value: one.algorithm,
            label: `${word("event", one.algorithm)} · ${one.version}`,
          }))}
        />
      </Form.Item>
      <VersionNumber />
      <VersionNote />
    </>
  );
}

export function VersionNumber() {
  const { t } = useTexts();
  const rule = { required: true, pattern: /^\d+\.\d+\.\d+$/, message: t("algos.version.how") };
  return (
    <Form.Item name="version" label={t("algos.version")} rules={[rule]}>
      <Input placeholder="1.1.0" />
    </Form.Item>
  );
}

export function VersionNote() {
  const { t } = useTexts();
  return (
    <Form.Item name="note" label={t("algos.note")}>
      <Input.TextArea maxLength={2000} />
    </Form.Item>
  );
}
