import { useQuery } from "@tanstack/react-query";
import { Alert, Button, Divider, Form, Input } from "antd";
import { type ReactNode, useState } from "react";
import { useSearchParams } from "react-router";
import { ApiError, call } from "../api/client";
import { useTexts } from "../i18n";
import { explain } from "../parts/Trouble";
import { LanguageSwitch } from "../Shell";
import { useSession } from "../session";

/** The card that login and password change share. */
export function Gate({ children, wide = false }: { children: ReactNode; wide?: boolean }) {
  const { t } = useTexts();
  return (
    <div className="gate">
      <div>
        <div className={wide ? "gate-card wide" : "gate-card"}>
          <div className="gate-brand">
            <img src="/icon.svg" alt="" />
            <div>
              <strong>{t("app.name")}</strong>
              <span className="dim">{t("app.tagline")}</span>
            </div>
          </div>
          {children}
        </div>
        <div style={{ textAlign: "center", marginTop: 12 }}>
          <LanguageSwitch />
        </div>
      </div>
    </div>
  );
}

interface Fields {
  name: string;
  password: string;
}

export function LoginRoom() {
  const { t } = useTexts();
  const { login } = useSession();
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const [asked] = useSearchParams();
  const refused = providerRefusal(asked.get("oidc"));

  const submit = async ({ name, password }: Fields) => {
    setBusy(true);
    setError(null);
    try {
      await login(name, password);
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };

  const required = [{ required: true, message: t("login.required") }];
  return (
    <Gate>
      <Form layout="vertical" requiredMark={false} onFinish={submit} initialValues={{ name: "admin" }}>
        {error ? (
          <Alert type="error" showIcon title={refusal(error, t)} style={{ marginBottom: 16 }} />
        ) : null}
        {refused && !error ? (
          <Alert type="error" showIcon title={t(refused)} style={{ marginBottom: 16 }} />
        ) : null}
        <Form.Item name="name" label={t("login.name")} rules={required}>
          <Input autoComplete="username" size="large" />
        </Form.Item>
        <Form.Item name="password" label={t("login.password")} rules={required}>
          <Input.Password autoComplete="current-password" size="large" autoFocus />
        </Form.Item>
        <Button type="primary" htmlType="submit" size="large" block loading={busy}>
          {t("login.submit")}
        </Button>
      </Form>
      <ProviderLogin />
      <p className="dim" style={{ margin: "16px 0 0", fontSize: 12 }}>
        {t("login.first")}
      </p>
    </Gate>
  );
}

function refusal(error: unknown, t: ReturnType<typeof useTexts>["t"]): string {
  const refused = error instanceof ApiError && error.status === 401;
  return refused ? t("login.refused") : explain(error, t).title;
}

const PROVIDER_REFUSALS = ["cancelled", "expired", "invalid", "unavailable", "unknown", "taken"] as const;

/** Why a login by the identity provider came back without success, as the address says. */
function providerRefusal(why: string | null) {
  const known = PROVIDER_REFUSALS.find((one) => one === why);
  return known ? (`oidc.${known}` as const) : null;
}

/** The way in by the organisation's identity provider, where there is one. */
function ProviderLogin() {
  const { t } = useTexts();
  const { data } = useQuery({
    queryKey: ["oidc"],
    queryFn: () => call("get", "/api/oidc"),
    staleTime: 60_000,
  });
  if (!data?.label) return null;
  return (
    <>
      <Divider plain>{t("oidc.or")}</Divider>
      <Button href="/api/oidc/login" size="large" block>
        {t("oidc.login", { label: data.label })}
      </Button>
    </>
  );
}
