import { Button, Form, Input, Popconfirm, Select, Tag } from "antd";
import type { NamePath } from "antd/es/form/interface";
import { type TextKey, useTexts } from "../i18n";
import { CameraSelect } from "../parts/CameraSelect";
import { MomentField } from "../parts/MomentField";
import { formatDuration, formatTime } from "../parts/time";
import { TYPES } from "./filters";
import { COLOURS, stateOf } from "./silences";

/** What silences of deliveries and of cases have in common in their lists and forms. */
interface Lasting {
  id: number;
  from_utc: number;
  until_utc: number;
}

export function SilenceTag({ of, now }: { of: Lasting; now: number }) {
  const { t } = useTexts();
  const state = stateOf(of, now);
  return <Tag color={COLOURS[state]}>{t(`silences.state.${state}`)}</Tag>;
}

/** From when until when, and how long it still lasts. */
export function SilenceSpan({ of, now }: { of: Lasting; now: number }) {
  const { t, language } = useTexts();
  return (
    <span className="number nowrap">
      {`${formatTime(of.from_utc, language, false)} – ${formatTime(of.until_utc, language, false)}`}
      {stateOf(of, now) === "running" ? (
        <div className="dim">{t("silences.left", { time: formatDuration(of.until_utc - now, t) })}</div>
      ) : null}
    </span>
  );
}

interface EndProps {
  of: Lasting;
  now: number;
  sure: TextKey;
  text: TextKey;
  busy: boolean;
  end: (number: number) => void;
}

/** Nothing for one that is over. */
export function EndSilence({ of, now, sure, text, busy, end }: EndProps) {
  const { t } = useTexts();
  if (stateOf(of, now) === "over") return null;
  return (
    <Popconfirm
      title={t(sure)}
      okText={t("silences.end.yes")}
      cancelText={t("password.cancel")}
      onConfirm={() => end(of.id)}
    >
      <Button size="small" disabled={busy}>
        {t(text)}
      </Button>
    </Popconfirm>
  );
}

/** How much it holds back. */
export function HeldBack({ count, text }: { count: number; text: TextKey }) {
  const { t } = useTexts();
  return (
    <b className="number" style={{ color: count ? "var(--warn)" : "var(--dim)" }}>
      {t(text, { n: count })}
    </b>
  );
}

/** Fields: which events, and of which cameras. */
export function AboutFields({ types, cameras }: { types: NamePath; cameras: NamePath }) {
  const { t, word } = useTexts();
  return (
    <>
      <Form.Item name={types} label={t("events.type")}>
        <Select
          mode="multiple"
          placeholder={t("grants.any")}
          options={TYPES.map((value) => ({ value, label: word("event", value) }))}
        />
      </Form.Item>
      <Form.Item name={cameras} label={t("events.camera")}>
        <Cameras />
      </Form.Item>
    </>
  );
}

/** Fields: from when (now, where it is left out) until when. */
export function SpanFields({ how }: { how: TextKey }) {
  const { t } = useTexts();
  const form = Form.useFormInstance();
  return (
    <>
      <Form.Item name="from" label={t("silences.from")} extra={t("silences.from.now")}>
        <MomentField />
      </Form.Item>
      <Form.Item
        name="until"
        label={t("silences.until")}
        extra={t(how)}
        dependencies={["from"]}
        rules={[
          { required: true, message: t("login.required") },
          {
            validator: (_, until: number | null | undefined) => {
              const from: number = form.getFieldValue("from") ?? Date.now() / 1000;
              return until == null || until > from
                ? Promise.resolve()
                : Promise.reject(new Error(t("silences.until.wrong")));
            },
          },
        ]}
      >
        <MomentField />
      </Form.Item>
    </>
  );
}

export function NoteField({ most }: { most: number }) {
  const { t } = useTexts();
  return (
    <Form.Item
      name="note"
      label={t("silences.note")}
      rules={[{ required: true, message: t("login.required"), whitespace: true }]}
    >
      <Input maxLength={most} placeholder={t("silences.note.example")} />
    </Form.Item>
  );
}

/** `CameraSelect` as a field of a form. */
function Cameras(props: { value?: string[]; onChange?: (ids: string[]) => void }) {
  const { t } = useTexts();
  return (
    <CameraSelect
      value={props.value ?? []}
      onChange={props.onChange ?? (() => undefined)}
      placeholder={t("grants.any")}
      width={320}
    />
  );
}
