import { Alert, Input, Modal, Radio, Rate, Select } from "antd";
import { type ReactNode, useState } from "react";
import { type Asked, useCaseAction, useCaseBook } from "../api/cases";
import { ApiError, type CaseDetail, type Schemas } from "../api/client";
import { useTexts } from "../i18n";
import { MomentField } from "../parts/MomentField";
import { smaller } from "../parts/photo";

type Facts = Partial<Schemas["Facts"]>;
const VERDICTS = ["gone", "still_there", "unseen"] as const;

/** Who may be given a crew with it: whoever sends the case, and whoever starts on it. */
const WITH_CREW: readonly Schemas["Action"][] = ["dispatch", "start"];

interface Wanted {
  action: Schemas["Action"];
  needs: readonly string[];
  done: () => void;
}

interface Props extends Wanted {
  doing: {
    isPending: boolean;
    error: Error | null;
    mutate: (asked: Asked, then: { onSuccess: () => void }) => void;
  };
  /** Besides the action's name. */
  about?: string;
}

/** One action on one case. */
export function CaseAction({ detail, ...wanted }: Wanted & { detail: CaseDetail }) {
  return <ActionForm {...wanted} doing={useCaseAction(detail)} />;
}

/** One action with what it needs; what the server still misses is said in its own words. */
export function ActionForm({ doing, about, action, needs, done }: Props) {
  const { t, word } = useTexts();
  const [facts, setFacts] = useState<Facts>({});
  const [files, setFiles] = useState<File[]>([]);
  const change = (fields: Facts) => setFacts((known) => ({ ...known, ...fields }));
  const overriding = action === "close" && facts.verdict != null && facts.verdict !== "gone";
  const send = async () => {
    const pictures = await Promise.all(files.map(smaller));
    doing.mutate(
      { action, facts: { ...facts, overridden: overriding }, files: pictures },
      { onSuccess: done },
    );
  };
  const wants = (need: string) => needs.includes(need);
  return (
    <Modal
      open
      title={about ? `${word("case.action", action)} · ${about}` : word("case.action", action)}
      okText={t("cases.do", { what: word("case.action", action) })}
      cancelText={t("password.cancel")}
      confirmLoading={doing.isPending}
      onOk={() => void send()}
      onCancel={done}
    >
      {wants("department") ? (
        <Departments value={facts.department ?? ""} change={(department) => change({ department })} />
      ) : null}
      {WITH_CREW.includes(action) ? (
        <Field label={t("cases.crew")}>
          <Input
            maxLength={80}
            aria-label={t("cases.crew")}
            placeholder={t("cases.crew.how")}
            value={facts.crew ?? ""}
            onChange={(e) => change({ crew: e.target.value })}
          />
        </Field>
      ) : null}
      {wants("verdict") ? (
        <Field label={t("cases.verdict")}>
          <Radio.Group
            value={facts.verdict ?? null}
            onChange={(e) => change({ verdict: e.target.value })}
            options={VERDICTS.map((value) => ({ value, label: word("case.verdict", value) }))}
          />
          {overriding ? <p className="dim">{t("cases.override")}</p> : null}
        </Field>
      ) : null}
      {wants("until") ? (
        <Field label={t("cases.until")}>
          <MomentField
            label={t("cases.until")}
            value={facts.until_utc}
            onChange={(until_utc) => change({ until_utc })}
          />
        </Field>
      ) : null}
      {wants("stars") ? (
        <Field label={t("cases.stars")}>
          <Rate value={facts.stars ?? 0} onChange={(stars) => change({ stars })} />
        </Field>
      ) : null}
      {wants("pictures") ? (
        <Field label={t("cases.pictures")}>
          <input
            type="file"
            accept="image/jpeg,image/png"
            capture="environment"
            multiple
            aria-label={t("cases.pictures")}
            onChange={(e) => setFiles([...(e.target.files ?? [])])}
          />
        </Field>
      ) : null}
      <Field label={t("cases.note")}>
        <Input.TextArea
          rows={3}
          maxLength={2000}
          aria-label={t("cases.note")}
          value={facts.note ?? ""}
          onChange={(e) => change({ note: e.target.value })}
        />
      </Field>
      {doing.error ? <Alert type="error" title={said(doing.error)} /> : null}
    </Modal>
  );
}

function said(error: Error): string {
  return error instanceof ApiError ? `${error.problem.detail} · ${error.problem.fix}` : error.message;
}

function Field({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div className="field">
      <span className="dim">{label}</span>
      {children}
    </div>
  );
}

function Departments({ value, change }: { value: string; change: (id: string) => void }) {
  const { t } = useTexts();
  const departments = useCaseBook().data?.departments ?? {};
  return (
    <Field label={t("cases.handler")}>
      <Select
        showSearch={{ optionFilterProp: "label" }}
        aria-label={t("cases.handler")}
        value={value || undefined}
        onChange={change}
        options={Object.entries(departments).map(([value, label]) => ({ value, label }))}
        style={{ width: "100%" }}
      />
    </Field>
  );
}
