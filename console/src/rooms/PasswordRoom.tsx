import { Alert, App, Button, Form, Input } from "antd";
import { useState } from "react";
import { useNavigate } from "react-router";
import { ApiError } from "../api/client";
import { useTexts } from "../i18n";
import { Refusal } from "../parts/Trouble";
import { useSession } from "../session";
import { Gate } from "./LoginRoom";

interface Fields {
  old: string;
  fresh: string;
  again: string;
}

/** Changing one's password; `forced`: nothing else is possible before. */
export function PasswordRoom({ forced = false }: { forced?: boolean }) {
  const { t } = useTexts();
  const { changePassword, logout, me } = useSession();
  const { message } = App.useApp();
  const navigate = useNavigate();
  const [form] = Form.useForm<Fields>();
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);

  const submit = async ({ old, fresh }: Fields) => {
    setBusy(true);
    setError(null);
    try {
      await changePassword(old, fresh);
      void message.success(t("password.done"));
      navigate("/wall");
    } catch (failure) {
      setBusy(false);
      if (failure instanceof ApiError && failure.problem.faults?.[0]?.field === "old") {
        form.setFields([{ name: "old", errors: [t("password.wrong")] }]);
      } else if (failure instanceof ApiError && failure.problem.faults?.[0]?.field === "new") {
        form.setFields([{ name: "fresh", errors: [t("password.weak")] }]);
      } else setError(failure);
    }
  };

  const required = { required: true, message: t("login.required") };
  return (
    <Gate>
      <h1 style={{ fontSize: 16, margin: "0 0 12px" }}>{t("password.title")}</h1>
      {forced ? <Alert type="info" title={t("password.first")} style={{ marginBottom: 16 }} /> : null}
      {error ? <Refusal error={error} /> : null}
      <Form form={form} layout="vertical" requiredMark={false} onFinish={submit}>
        <input type="text" autoComplete="username" value={me?.name ?? ""} readOnly hidden />
        <Form.Item name="old" label={t("password.old")} rules={[required]}>
          <Input.Password autoComplete="current-password" autoFocus />
        </Form.Item>
        <Form.Item
          name="fresh"
          label={t("password.new")}
          extra={t("password.hint")}
          rules={[required, { min: 10, message: t("password.hint") }]}
        >
          <Input.Password autoComplete="new-password" />
        </Form.Item>
        <Form.Item
          name="again"
          label={t("password.again")}
          dependencies={["fresh"]}
          rules={[
            required,
            ({ getFieldValue }) => ({
              validator: (_, value: string) =>
                !value || value === getFieldValue("fresh")
                  ? Promise.resolve()
                  : Promise.reject(new Error(t("password.differ"))),
            }),
          ]}
        >
          <Input.Password autoComplete="new-password" />
        </Form.Item>
        <Button type="primary" htmlType="submit" block loading={busy}>
          {t("password.submit")}
        </Button>
        <Button
          type="text"
          block
          style={{ marginTop: 8 }}
          onClick={() => (forced ? void logout() : navigate(-1))}
        >
          {forced ? t("nav.logout") : t("password.cancel")}
        </Button>
      </Form>
    </Gate>
  );
}
