import { useQuery } from "@tanstack/react-query";
import { Alert, App, Button, Skeleton } from "antd";
import { useEffect, useState } from "react";
import { useNavigate } from "react-router";
import { call, type Schemas } from "../api/client";
import { useTexts } from "../i18n";
import { Ask, RecoveryCodes, SetUp } from "../parts/SecondFactor";
import { Trouble } from "../parts/Trouble";
import { formatTime } from "../parts/time";
import { useSession } from "../session";
import { Gate } from "./LoginRoom";

/** How one's own account is protected. */
export function SecurityRoom() {
  const { t } = useTexts();
  const { me } = useSession();
  const navigate = useNavigate();
  return (
    <div className="page narrow">
      <div className="head">
        <h1>{t("security.title")}</h1>
      </div>
      {me?.second_factor === "provider" ? (
        <section className="panel">
          <h2>{t("factor.title")}</h2>
          <p className="dim">{t("factor.provider")}</p>
        </section>
      ) : (
        <>
          <section className="panel">
            <h2>{t("login.password")}</h2>
            <Button onClick={() => navigate("/password")}>{t("password.title")}</Button>
          </section>
          <Factor />
        </>
      )}
    </div>
  );
}

function Factor() {
  const { t } = useTexts();
  const { data, error, refetch } = useQuery({
    queryKey: ["second-factor"],
    queryFn: () => call("get", "/api/second-factor"),
  });
  const { retry } = useSession();
  // Kept here: it is on before the recovery codes are, and those must not vanish with the next answer.
  const [settingUp, setSettingUp] = useState(false);
  const changed = () => {
    setSettingUp(false);
    void refetch();
    void retry();
  };
  return (
    <section className="panel">
      <h2>{t("factor.title")}</h2>
      {error && !data ? <Trouble error={error} retry={() => void refetch()} /> : null}
      {!data && !error ? <Skeleton active /> : null}
      {settingUp ? <SetUp done={changed} cancel={() => setSettingUp(false)} /> : null}
      {data && !settingUp && data.since_utc == null ? (
        <>
          <p className="dim">{t("factor.off")}</p>
          <Button type="primary" onClick={() => setSettingUp(true)}>
            {t("factor.set_up")}
          </Button>
        </>
      ) : null}
      {data && !settingUp && data.since_utc != null ? <On state={data} changed={changed} /> : null}
    </section>
  );
}

function On({ state, changed }: { state: Schemas["SecondFactorOut"]; changed: () => void }) {
  const { t, language } = useTexts();
  const { message } = App.useApp();
  const [open, setOpen] = useState<"renew" | "off" | null>(null);
  const [codes, setCodes] = useState<string[] | null>(null);
  const close = () => {
    setOpen(null);
    setCodes(null);
    changed();
  };
  if (codes) return <RecoveryCodes codes={codes} done={close} />;
  const few = state.recovery_left < 3;
  return (
    <>
      <dl className="facts" style={{ marginBottom: 14 }}>
        <dt>{t("factor.state")}</dt>
        <dd data-testid="factor-on">
          {t("factor.on", { time: formatTime(state.since_utc ?? 0, language, false) })}
        </dd>
        <dt>{t("factor.recovery")}</dt>
        <dd>{t("factor.recovery.left", { n: state.recovery_left })}</dd>
      </dl>
      {few ? (
        <Alert type="warning" showIcon title={t("factor.recovery.few")} style={{ marginBottom: 14 }} />
      ) : null}
      {open === null ? (
        <>
          <Button onClick={() => setOpen("renew")}>{t("factor.renew")}</Button>
          <Button danger style={{ marginLeft: 8 }} onClick={() => setOpen("off")}>
            {t("factor.disable")}
          </Button>
        </>
      ) : null}
      {open === "renew" ? (
        <Ask
          fields={["password", "code"]}
          submit={t("factor.renew")}
          cancel={() => setOpen(null)}
          ask={async ({ password = "", code = "" }) => {
            const answer = await call("post", "/api/second-factor/recovery-codes", {
              body: { password, code },
            });
            setCodes(answer.codes);
          }}
        />
      ) : null}
      {open === "off" ? (
        <Ask
          fields={["password", "code"]}
          danger
          submit={t("factor.disable")}
          cancel={() => setOpen(null)}
          ask={async ({ password = "", code = "" }) => {
            await call("post", "/api/second-factor/disable", { body: { password, code } });
            void message.success(t("factor.disabled"));
            close();
          }}
        />
      ) : null}
    </>
  );
}

/** Before anything else, for those whose role must have a second factor.
 *
 * `held` is told while it is on screen: it is set up before the recovery codes are kept. */
export function ForcedSetUp({ held }: { held: (on: boolean) => void }) {
  const { t } = useTexts();
  const { retry, logout } = useSession();
  useEffect(() => {
    held(true);
    return () => held(false);
  }, [held]);
  return (
    <Gate wide>
      <h1 style={{ fontSize: 16, margin: "0 0 12px" }}>{t("factor.title")}</h1>
      <Alert type="info" title={t("factor.forced")} style={{ marginBottom: 16 }} />
      <SetUp done={() => void retry().then(() => held(false))} />
      <Button type="text" block style={{ marginTop: 8 }} onClick={() => void logout()}>
        {t("nav.logout")}
      </Button>
    </Gate>
  );
}
