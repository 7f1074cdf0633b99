import { useMutation, useQueryClient } from "@tanstack/react-query";
import { App, Button, Input, Modal, Space } from "antd";
import { useState } from "react";
import { GRANTS, type Grant } from "../api/access";
import { call } from "../api/client";
import { useTexts } from "../i18n";
import { inOneLine } from "../parts/Trouble";

type Step = "approve" | "refuse" | "revoke";

/** What can be done with a grant; each step can say why. */
export function GrantActions({ grant }: { grant: Grant }) {
  const { t } = useTexts();
  const { message } = App.useApp();
  const queries = useQueryClient();
  const [step, setStep] = useState<Step | null>(null);
  const [note, setNote] = useState("");
  const path = { number: grant.id };
  const doing = useMutation({
    mutationFn: (what: Step) =>
      what === "revoke"
        ? call("post", "/api/grants/{number}/revocation", { path, body: { note } })
        : call("post", "/api/grants/{number}/decision", {
            path,
            body: { approve: what === "approve", note },
          }),
    onSuccess: () => setStep(null),
    onError: (error) => void message.error(inOneLine(error, t)),
    onSettled: () => queries.invalidateQueries({ queryKey: GRANTS }),
  });
  const steps: Step[] = grant.may_decide ? ["approve", "refuse"] : grant.may_revoke ? ["revoke"] : [];
  return (
    <Space>
      {steps.map((one) => (
        <Button key={one} size="small" danger={one !== "approve"} onClick={() => setStep(one)}>
          {t(`grants.${one}`)}
        </Button>
      ))}
      <Modal
        open={step !== null}
        title={step ? t(`grants.${step}`) : ""}
        okText={t("grants.confirm")}
        cancelText={t("password.cancel")}
        confirmLoading={doing.isPending}
        onOk={() => step && doing.mutate(step)}
        onCancel={() => setStep(null)}
      >
        <Input.TextArea
          aria-label={t("grants.note")}
          placeholder={t("grants.note")}
          maxLength={500}
          value={note}
          onChange={(event) => setNote(event.target.value)}
        />
      </Modal>
    </Space>
  );
}
