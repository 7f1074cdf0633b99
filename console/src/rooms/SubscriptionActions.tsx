import { useMutation } from "@tanstack/react-query";
import { Alert, App, Button, Popconfirm, Space } from "antd";
import { useState } from "react";
import { useNavigate } from "react-router";
import { call } from "../api/client";
import { type Subscription, useReread } from "../api/subscriptions";
import { useTexts } from "../i18n";
import { inOneLine, Refusal } from "../parts/Trouble";
import { Replay } from "./Replay";
import { ShownOnce } from "./ShownOnce";
import { SubscriptionForm } from "./SubscriptionForm";

/** What can be done with a subscription. */
export function SubscriptionActions({ of }: { of: Subscription }) {
  const { t } = useTexts();
  const { message } = App.useApp();
  const reread = useReread();
  const navigate = useNavigate();
  const path = { number: of.id };
  const [secret, setSecret] = useState<string | null>(null);
  const [changing, setChanging] = useState(false);
  const [replaying, setReplaying] = useState(false);
  const doing = useMutation({
    mutationFn: (what: () => Promise<unknown>) => what(),
    onError: (error) => void message.error(inOneLine(error, t)),
    onSettled: () => reread(),
  });
  const counted = (what: Promise<{ count: number }>) =>
    what.then(({ count }) => message.info(t("subs.counted", { n: count })));
  const steps: { key: string; run: () => Promise<unknown>; shown: boolean }[] = [
    {
      key: "pause",
      run: () =>
        call("post", "/api/subscriptions/{number}/pause", { path, body: { why: t("subs.by_hand") } }),
      shown: !of.paused,
    },
    {
      key: "resume",
      run: () => call("post", "/api/subscriptions/{number}/resume", { path }),
      shown: !!of.paused,
    },
    {
      key: "redrive",
      run: () => counted(call("post", "/api/subscriptions/{number}/redrive", { path })),
      shown: true,
    },
    {
      key: "rotate",
      run: () =>
        call("post", "/api/subscriptions/{number}/secret", { path }).then((made) => setSecret(made.secret)),
      shown: of.channel.kind === "webhook" && of.secrets < 2,
    },
    {
      key: "settle",
      run: () => call("post", "/api/subscriptions/{number}/secret/settle", { path }),
      shown: of.secrets > 1,
    },
  ];
  return (
    <>
      <TestFire of={of} />
      <Space wrap>
        <Button onClick={() => setChanging(true)}>{t("subs.change")}</Button>
        <Button onClick={() => setReplaying(true)}>{t("subs.replay")}</Button>
        {steps
          .filter((step) => step.shown)
          .map(({ key, run }) => (
            <Popconfirm
              key={key}
              title={t(`subs.${key}.sure` as "subs.pause.sure")}
              okText={t("grants.confirm")}
              cancelText={t("password.cancel")}
              onConfirm={() => doing.mutate(run)}
            >
              <Button loading={doing.isPending}>{t(`subs.${key}` as "subs.pause")}</Button>
            </Popconfirm>
          ))}
        <Popconfirm
          title={t("subs.delete.sure")}
          okText={t("subs.delete")}
          cancelText={t("password.cancel")}
          onConfirm={() =>
            doing.mutate(async () => {
              await call("delete", "/api/subscriptions/{number}", { path });
              navigate("/subscriptions");
            })
          }
        >
          <Button danger>{t("subs.delete")}</Button>
        </Popconfirm>
      </Space>
      {replaying ? <Replay of={of} close={() => setReplaying(false)} /> : null}
      {changing ? <SubscriptionForm of={of} close={() => setChanging(false)} /> : null}
      {secret ? (
        <ShownOnce
          title={t("subs.rotate")}
          about={t("subs.secret.once")}
          text={secret}
          close={() => setSecret(null)}
        />
      ) : null}
    </>
  );
}

/** Sends one message now, and shows what came back. */
function TestFire({ of }: { of: Subscription }) {
  const { t } = useTexts();
  const firing = useMutation({
    mutationFn: () => call("post", "/api/subscriptions/{number}/test", { path: { number: of.id } }),
  });
  const found = firing.data;
  const well = found?.outcome === "test_delivered";
  if (of.channel.kind === "sse") return null;
  return (
    <Space wrap style={{ margin: "12px 0" }}>
      <Button type="primary" loading={firing.isPending} onClick={() => firing.mutate()}>
        {t("subs.test")}
      </Button>
      {firing.error ? <Refusal error={firing.error} /> : null}
      {found ? (
        <Alert
          data-testid="test-answer"
          type={well ? "success" : "error"}
          showIcon
          title={`${t(well ? "subs.test.well" : "subs.test.failed")} ${found.status ?? ""} · ${Math.round(found.took_ms)} ms ${found.detail}`}
        />
      ) : null}
    </Space>
  );
}
