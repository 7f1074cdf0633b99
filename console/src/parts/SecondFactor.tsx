import { Alert, Button, Form, Input } from "antd";
import { type ReactNode, useState } from "react";
import { ApiError, call, type Schemas } from "../api/client";
import { type Texts, useTexts } from "../i18n";
import { Refusal } from "./Trouble";

type Enrolment = Schemas["Enrolment"];

interface Fields {
  password?: string;
  code?: string;
}

interface AskProps {
  fields: readonly (keyof Fields)[];
  submit: string;
  danger?: boolean;
  ask: (given: Fields) => Promise<void>;
  cancel?: () => void;
}

/** Asks for the password, a code, or both, and says at the field what was wrong with it. */
export function Ask({ fields, submit, danger = false, ask, cancel }: AskProps) {
  const { t } = useTexts();
  const [form] = Form.useForm<Fields>();
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const send = async (given: Fields) => {
    setBusy(true);
    setError(null);
    try {
      await ask(given);
    } catch (failure) {
      const told = wrongField(failure, t);
      if (told) form.setFields([told]);
      else setError(failure);
    }
    setBusy(false);
  };
  const rules = [{ required: true, message: t("login.required") }];
  return (
    <Form form={form} layout="vertical" requiredMark={false} onFinish={send} style={{ maxWidth: 320 }}>
      {error ? <Refusal error={error} /> : null}
      {fields.includes("password") ? (
        <Form.Item name="password" label={t("password.old")} rules={rules}>
          <Input.Password autoComplete="current-password" />
        </Form.Item>
      ) : null}
      {fields.includes("code") ? (
        <Form.Item name="code" label={t("factor.code")} rules={rules}>
          <Input autoComplete="one-time-code" maxLength={40} />
        </Form.Item>
      ) : null}
      <Button type="primary" danger={danger} htmlType="submit" loading={busy}>
        {submit}
      </Button>
      {cancel ? (
        <Button type="text" style={{ marginLeft: 8 }} onClick={cancel}>
          {t("password.cancel")}
        </Button>
      ) : null}
    </Form>
  );
}

function wrongField(failure: unknown, t: Texts["t"]): { name: keyof Fields; errors: string[] } | null {
  const field = failure instanceof ApiError ? failure.problem.faults?.[0]?.field : undefined;
  if (field === "password") return { name: "password", errors: [t("password.wrong")] };
  if (field === "code") return { name: "code", errors: [t("factor.wrong")] };
  return null;
}

/** From the password to the recovery codes; `done` once somebody says that they have kept them. */
export function SetUp({ done, cancel }: { done: () => void; cancel?: () => void }) {
  const { t } = useTexts();
  const [made, setMade] = useState<Enrolment | null>(null);
  const [codes, setCodes] = useState<string[] | null>(null);
  if (codes) return <RecoveryCodes codes={codes} done={done} />;
  if (!made) {
    return (
      <Ask
        fields={["password"]}
        submit={t("factor.begin")}
        cancel={cancel}
        ask={async ({ password = "" }) =>
          setMade(await call("post", "/api/second-factor", { body: { password } }))
        }
      />
    );
  }
  return (
    <div className="factor-setup">
      <img
        src={`data:image/svg+xml;utf8,${encodeURIComponent(made.picture)}`}
        alt={t("factor.picture")}
        width={200}
        height={200}
      />
      <div>
        <Steps>{[t("factor.scan"), t("factor.confirm.how")]}</Steps>
        <p className="dim">{t("factor.by_hand")}</p>
        <p className="mono" data-testid="factor-secret">
          {made.secret.replace(/(.{4})/g, "$1 ").trim()}
        </p>
        <Ask
          fields={["code"]}
          submit={t("factor.confirm")}
          cancel={cancel}
          ask={async ({ code = "" }) =>
            setCodes((await call("post", "/api/second-factor/confirm", { body: { code } })).codes)
          }
        />
      </div>
    </div>
  );
}

function Steps({ children }: { children: string[] }): ReactNode {
  return (
    <ol className="factor-steps">
      {children.map((line) => (
        <li key={line}>{line}</li>
      ))}
    </ol>
  );
}

/** Shown once; whoever goes on says that they have kept them. */
export function RecoveryCodes({ codes, done }: { codes: string[]; done: () => void }) {
  const { t } = useTexts();
  return (
    <div>
      <Alert
        type="warning"
        showIcon
        title={t("factor.codes")}
        description={t("factor.codes.how")}
        style={{ marginBottom: 12 }}
      />
      <ul className="factor-codes mono" data-testid="recovery-codes">
        {codes.map((code) => (
          <li key={code}>{code}</li>
        ))}
      </ul>
      <Button
        href={`data:text/plain;charset=utf-8,${encodeURIComponent(codes.join("\n"))}`}
        download={`${t("factor.recovery")}.txt`}
      >
        {t("factor.download")}
      </Button>
      <Button type="primary" style={{ marginLeft: 8 }} onClick={done}>
        {t("factor.kept")}
      </Button>
    </div>
  );
}
