import { CameraOutlined, CloseOutlined } from "@ant-design/icons";
import { Alert, Button, Input } from "antd";
import { useEffect, useMemo, useState } from "react";
import type { CaseDetail } from "../api/client";
import { freshId } from "../api/retry";
import { can, type Draft, emptyDraft, type Photo, roundOf } from "../field/draft";
import { useOutbox } from "../field/Outbox";
import { useTexts } from "../i18n";
import { useNow } from "../parts/Cases";
import { smaller } from "../parts/photo";
import { useSession } from "../session";

const MOST = 6;

/** 反馈: photos and a word that it is done. What is written stays here until the server has it, whatever the line does. */
export function FieldReport({ detail }: { detail: CaseDetail }) {
  const { me } = useSession();
  const { drafts } = useOutbox();
  if (drafts === undefined || !me) return null;
  const draft = drafts.find((one) => one.number === detail.case.id);
  if (draft?.state === "sending") return <Waiting draft={draft} />;
  if (!draft && !can(detail, "report")) return null;
  return <Form detail={detail} draft={draft ?? emptyDraft(me.name, detail.case)} kept={!!draft} />;
}

function Form({ detail, draft, kept }: { detail: CaseDetail; draft: Draft; kept: boolean }) {
  const { t } = useTexts();
  const { edit, drop, forgetful } = useOutbox();
  const [reading, setReading] = useState(false);
  const change = (fields: (one: Draft) => Partial<Draft>) =>
    edit(draft, (one) => ({ ...one, state: "writing", ...fields(one) }));
  const able = can(detail, "report");
  const submit = () => {
    void navigator.storage?.persist?.();
    const round = roundOf(detail.case.state);
    change(() => ({ state: "sending", round, tries: 0, notBefore: 0, why: "" }));
  };
  return (
    <section className="panel">
      <h2>{t("field.report")}</h2>
      {forgetful ? <Alert type="warning" showIcon title={t("field.forgetful")} /> : null}
      {draft.state === "stuck" ? (
        <Alert
          type="warning"
          showIcon
          title={t("field.stuck")}
          description={
            draft.why === "changed" ? t(able ? "field.stuck.again" : "field.stuck.closed") : draft.why
          }
        />
      ) : null}
      <Photos
        photos={draft.photos}
        change={(photos) => change((one) => ({ photos: photos(one.photos) }))}
        reading={setReading}
      />
      <Input.TextArea
        rows={3}
        maxLength={2000}
        placeholder={t("field.note")}
        aria-label={t("cases.note")}
        value={draft.note}
        onChange={(e) => change(() => ({ note: e.target.value }))}
      />
      <Button
        type="primary"
        size="large"
        block
        className="field-button"
        loading={reading}
        disabled={draft.photos.length === 0 || !able}
        onClick={submit}
      >
        {t("field.submit")}
      </Button>
      {draft.photos.length === 0 ? <p className="dim">{t("field.photo.needed")}</p> : null}
      {kept ? (
        <Button type="text" size="large" block danger disabled={reading} onClick={() => drop(draft.id)}>
          {t("field.drop")}
        </Button>
      ) : null}
    </section>
  );
}

interface PhotosProps {
  photos: Photo[];
  change: (photos: (known: Photo[]) => Photo[]) => void;
  /** whether one is still being made smaller */
  reading: (yes: boolean) => void;
}

function Photos({ photos, change, reading }: PhotosProps) {
  const { t } = useTexts();
  const [unread, setUnread] = useState(false);
  const add = async (files: File[]) => {
    reading(true);
    const read = await Promise.allSettled(files.map(smaller));
    reading(false);
    setUnread(read.some((one) => one.status === "rejected"));
    const fresh = read.flatMap((one) =>
      one.status === "fulfilled" ? [{ id: freshId(), blob: one.value, key: null }] : [],
    );
    if (fresh.length > 0) change((known) => [...known, ...fresh].slice(0, MOST));
  };
  return (
    <>
      <div className="field-photos">
        {photos.map((photo) => (
          <Shown
            key={photo.id}
            photo={photo}
            remove={() => change((known) => known.filter((one) => one.id !== photo.id))}
          />
        ))}
        {photos.length < MOST ? (
          <label className="field-take">
            <CameraOutlined />
            {t("field.take")}
            <input
              type="file"
              accept="image/*"
              capture="environment"
              aria-label={t("cases.pictures")}
              onChange={(e) => {
                void add([...(e.target.files ?? [])]);
                e.target.value = ""; // the same photo may be chosen again
              }}
            />
          </label>
        ) : null}
      </div>
      {unread ? <Alert type="error" title={t("field.photo.unread")} /> : null}
    </>
  );
}

function Shown({ photo, remove }: { photo: Photo; remove?: () => void }) {
  const { t } = useTexts();
  const url = useMemo(() => URL.createObjectURL(photo.blob), [photo.blob]);
  useEffect(() => () => URL.revokeObjectURL(url), [url]);
  return (
    <span className="field-photo">
      <img src={url} alt={t("cases.picture")} />
      {remove ? (
        <button type="button" aria-label={t("field.photo.remove")} onClick={remove}>
          <CloseOutlined />
        </button>
      ) : null}
    </span>
  );
}

function Waiting({ draft }: { draft: Draft }) {
  const { t } = useTexts();
  const { forgetful } = useOutbox();
  const now = useNow(1_000) * 1000;
  const seconds = Math.ceil((draft.notBefore - now) / 1000);
  return (
    <section className="panel" data-testid="waiting">
      <Alert
        type="info"
        showIcon
        title={t("field.draft.sending")}
        description={
          forgetful
            ? t("field.forgetful")
            : t(draft.tries === 0 ? "field.sending.first" : "field.sending.later", {
                s: Math.max(0, seconds),
              })
        }
      />
      <div className="field-photos">
        {draft.photos.map((photo) => (
          <Shown key={photo.id} photo={photo} />
        ))}
      </div>
      {draft.note ? <p>{draft.note}</p> : null}
    </section>
  );
}
