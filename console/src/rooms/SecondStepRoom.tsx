import { Button, Form, Input } from "antd";
import { useState } from "react";
import { ApiError } from "../api/client";
import { useTexts } from "../i18n";
import { Refusal } from "../parts/Trouble";
import { useSession } from "../session";
import { Gate } from "./LoginRoom";

/** The second step of a login: a code from the telephone, or one of the recovery codes. */
export function SecondStepRoom() {
  const { t } = useTexts();
  const { finishLogin, logout } = useSession();
  const [form] = Form.useForm<{ code: string }>();
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const [recovery, setRecovery] = useState(false);

  const submit = async ({ code }: { code: string }) => {
    setBusy(true);
    setError(null);
    try {
      await finishLogin(code);
    } catch (failure) {
      setBusy(false);
      form.resetFields();
      if (failure instanceof ApiError && failure.problem.faults?.[0]?.field === "code") {
        form.setFields([{ name: "code", errors: [t(recovery ? "factor.wrong.recovery" : "factor.wrong")] }]);
      } else setError(failure);
    }
  };

  return (
    <Gate>
      <h1 style={{ fontSize: 16, margin: "0 0 12px" }}>{t("factor.step")}</h1>
      {error ? <Refusal error={error} /> : null}
      <Form form={form} layout="vertical" requiredMark={false} onFinish={submit}>
        <Form.Item
          key={recovery ? "recovery" : "code"}
          name="code"
          label={t(recovery ? "factor.recovery.one" : "factor.code")}
          extra={t(recovery ? "factor.recovery.one.how" : "factor.code.how")}
          rules={[{ required: true, message: t("login.required") }]}
        >
          {recovery ? (
            <Input autoComplete="off" size="large" className="mono" autoFocus maxLength={40} />
          ) : (
            <Input autoComplete="one-time-code" inputMode="numeric" size="large" autoFocus maxLength={7} />
          )}
        </Form.Item>
        <Button type="primary" htmlType="submit" size="large" block loading={busy}>
          {t("factor.continue")}
        </Button>
      </Form>
      <Button
        type="link"
        block
        style={{ marginTop: 8 }}
        onClick={() => {
          form.resetFields();
          setRecovery(!recovery);
        }}
      >
        {t(recovery ? "factor.use.code" : "factor.use.recovery")}
      </Button>
      <Button type="text" block onClick={() => void logout()}>
        {t("factor.other")}
      </Button>
    </Gate>
  );
}
