import { useMutation, useQueryClient } from "@tanstack/react-query";
import { App, Button, Input, Modal, Select, Space } from "antd";
import { useState } from "react";
import { useRights } from "../api/access";
import { type AlgorithmVersion, move, type Step } from "../api/algorithms";
import { useTexts } from "../i18n";
import { inOneLine } from "../parts/Trouble";

// What can be done with a version in a stage.
const STEPS: Partial<Record<AlgorithmVersion["stage"], Step[]>> = {
  draft: ["retirement"],
  trained: ["retirement"],
  evaluated: ["registration", "retirement"],
  registered: ["shadow", "retirement"],
  shadow: ["canary", "abort"],
  canary: ["promotion", "abort"],
  production: ["rollback"],
};
const OF_CAMERAS: Step[] = ["shadow", "canary"];
const WITH_REASON: Step[] = ["abort", "rollback", "retirement"];
const OF_ENGINEERS: Step[] = ["registration", "shadow", "retirement"];
// A promotion is asked for its reason only where the canary has not shown enough.
const MAY_REASON: Step[] = [...WITH_REASON, "promotion"];

/** The moves of a roll-out that are open to this version and to whoever looks at it. */
export function RollOutSteps({ version }: { version: AlgorithmVersion }) {
  const { t } = useTexts();
  const may = useRights();
  const { message } = App.useApp();
  const queries = useQueryClient();
  const [step, setStep] = useState<Step | null>(null);
  const [cameras, setCameras] = useState<string[]>([]);
  const [why, setWhy] = useState("");
  const doing = useMutation({
    mutationFn: (what: Step) => move(version, what, cameras, why),
    onSuccess: () => setStep(null),
    onError: (error) => void message.error(inOneLine(error, t)),
    onSettled: () => queries.invalidateQueries({ queryKey: ["algorithms"] }),
  });
  const begin = (what: Step) => {
    setWhy("");
    setStep(what);
  };
  const open = (STEPS[version.stage] ?? []).filter((one) =>
    OF_ENGINEERS.includes(one) ? may("label") : one === "abort" ? may("label", "promote") : may("promote"),
  );
  if (open.length === 0) return null;
  const lacking =
    step !== null && ((OF_CAMERAS.includes(step) && !cameras.length) || (WITH_REASON.includes(step) && !why));
  return (
    <Space style={{ marginBottom: 12 }}>
      {open.map((one) => (
        <Button key={one} size="small" danger={WITH_REASON.includes(one)} onClick={() => begin(one)}>
          {t(`rollout.step.${one}`)}
        </Button>
      ))}
      <Modal
        open={step !== null}
        destroyOnHidden
        title={step ? `${t(`rollout.step.${step}`)} · ${version.algorithm} ${version.version}` : ""}
        okText={t("grants.confirm")}
        cancelText={t("password.cancel")}
        okButtonProps={{ disabled: lacking }}
        confirmLoading={doing.isPending}
        onOk={() => step && doing.mutate(step)}
        onCancel={() => setStep(null)}
      >
        {step ? <p className="dim">{t(`rollout.step.${step}.how`)}</p> : null}
        {step && OF_CAMERAS.includes(step) ? (
          <Select
            mode="tags"
            aria-label={t("rollout.cameras")}
            placeholder={t("rollout.cameras")}
            style={{ width: "100%" }}
            tokenSeparators={[",", " "]}
            open={false}
            value={cameras}
            onChange={setCameras}
          />
        ) : null}
        {step && MAY_REASON.includes(step) ? (
          <Input.TextArea
            aria-label={t(step === "promotion" ? "rollout.too_soon" : "rollout.why")}
            placeholder={t(step === "promotion" ? "rollout.too_soon" : "rollout.why")}
            maxLength={2000}
            value={why}
            onChange={(event) => setWhy(event.target.value)}
          />
        ) : null}
      </Modal>
    </Space>
  );
}
