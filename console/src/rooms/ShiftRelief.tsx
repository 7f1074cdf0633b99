import { Button, Input, Modal } from "antd";
import { useState } from "react";
import { type Shift, useRelieve } from "../api/shifts";
import { useTexts } from "../i18n";
import { Trouble } from "../parts/Trouble";
import { afterwards, Until } from "./ShiftBlocks";

/** Taking over from somebody who does not hand over; it says why, and stays visible. */
export function Relief({ shift }: { shift: Shift }) {
  const { t } = useTexts();
  const relieve = useRelieve(shift.id);
  const [open, setOpen] = useState(false);
  const [note, setNote] = useState("");
  const [until, setUntil] = useState(() => afterwards(Date.now() / 1000));
  return (
    <>
      <Button className="shift-push" onClick={() => setOpen(true)}>
        {t("shift.relieve")}
      </Button>
      <Modal
        open={open}
        title={t("shift.relieve")}
        okText={t("shift.relieve.do")}
        cancelText={t("password.cancel")}
        okButtonProps={{ disabled: !note.trim() }}
        confirmLoading={relieve.isPending}
        onOk={() => relieve.mutate({ note, until_utc: until }, { onSuccess: () => setOpen(false) })}
        onCancel={() => setOpen(false)}
      >
        <p className="dim">{t("shift.relieve.what", { who: shift.who })}</p>
        <Until label={t("shift.until.mine")} value={until} change={setUntil} />
        <Input.TextArea
          rows={3}
          maxLength={4000}
          aria-label={t("shift.relieve.why")}
          placeholder={t("shift.relieve.why")}
          value={note}
          onChange={(e) => setNote(e.target.value)}
        />
        {relieve.error ? <Trouble error={relieve.error} /> : null}
      </Modal>
    </>
  );
}
