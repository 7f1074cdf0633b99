import { Button, Input } from "antd";
import { useState } from "react";
import { useTexts } from "../i18n";

/** Why something is sent back. */
export function Why({ send, leave }: { send: (note: string) => void; leave: () => void }) {
  const { t } = useTexts();
  const [note, setNote] = useState("");
  return (
    <section className="panel">
      <Input
        autoFocus
        maxLength={500}
        placeholder={t("label.reject.why")}
        value={note}
        onChange={(event) => setNote(event.target.value)}
        onPressEnter={() => send(note)}
        onKeyDown={(event) => event.key === "Escape" && leave()}
      />
      <Button danger disabled={!note.trim()} onClick={() => send(note)} style={{ marginTop: 8 }}>
        {t("label.reject.send")}
      </Button>
    </section>
  );
}
