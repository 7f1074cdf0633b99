import { App, Button, Input, Space, Table, type TableColumnsType, Tag } from "antd";
import { useState } from "react";
import { useRights } from "../api/access";
import { type AlgorithmRequest, useAnswer, useAsk, useRequests } from "../api/gallery";
import { useTexts } from "../i18n";
import { CameraSelect } from "../parts/CameraSelect";
import { Refusal, Trouble } from "../parts/Trouble";
import { formatTime } from "../parts/time";

/** Asking for an algorithm on one's cameras, and what became of it. */
export function GalleryRequests({ algorithm }: { algorithm: string }) {
  const { t } = useTexts();
  const may = useRights();
  const { data, error, refetch } = useRequests();
  const columns = useColumns(may("label"));
  return (
    <section className="panel">
      <h2>{t("gallery.requests")}</h2>
      {may("ask") ? <Asking algorithm={algorithm} /> : null}
      {error && !data ? <Trouble error={error} retry={() => void refetch()} /> : null}
      <Table<AlgorithmRequest>
        rowKey="id"
        size="small"
        columns={columns}
        dataSource={data ?? []}
        pagination={{ pageSize: 20, hideOnSinglePage: true, showSizeChanger: false }}
        locale={{ emptyText: t("gallery.requests.none") }}
      />
    </section>
  );
}

function Asking({ algorithm }: { algorithm: string }) {
  const { t, word } = useTexts();
  const { message } = App.useApp();
  const [cameras, setCameras] = useState<string[]>([]);
  const [note, setNote] = useState("");
  const asking = useAsk();
  const send = () =>
    asking.mutate(
      { algorithm, cameras, note },
      {
        onSuccess: () => {
          setCameras([]);
          setNote("");
          void message.success(t("gallery.asked"));
        },
      },
    );
  return (
    <>
      <div className="filters">
        <CameraSelect value={cameras} onChange={setCameras} placeholder={t("gallery.cameras")} width={320} />
        <Input
          aria-label={t("gallery.note")}
          placeholder={t("gallery.note")}
          maxLength={2000}
          value={note}
          onChange={(e) => setNote(e.target.value)}
          style={{ width: 320 }}
        />
        <Button disabled={cameras.length === 0} loading={asking.isPending} onClick={send}>
          {t("gallery.ask", { algorithm: word("event", algorithm) })}
        </Button>
      </div>
      {asking.error ? <Refusal error={asking.error} /> : null}
    </>
  );
}

const COLOURS = { accepted: "green", refused: "red" } as const;

function useColumns(answers: boolean): TableColumnsType<AlgorithmRequest> {
  const { t, word, language } = useTexts();
  return [
    { title: t("algos.algorithm"), render: (_, one) => word("event", one.algorithm) },
    { title: t("gallery.department"), dataIndex: "department" },
    { title: t("gallery.cameras"), render: (_, one) => one.cameras.join(", ") },
    { title: t("gallery.note"), dataIndex: "note" },
    { title: t("gallery.who"), render: (_, one) => `${one.who} · ${formatTime(one.at_utc, language)}` },
    {
      title: t("gallery.answer"),
      render: (_, one) => {
        if (one.answer)
          return (
            <>
              <Tag color={COLOURS[one.answer]}>{t(`gallery.${one.answer}`)}</Tag> {one.answer_note}
            </>
          );
        return answers ? <Answering id={one.id} /> : <span className="dim">{t("gallery.open")}</span>;
      },
    },
  ];
}

function Answering({ id }: { id: number }) {
  const { t } = useTexts();
  const [note, setNote] = useState("");
  const answering = useAnswer();
  const say = (answer: "accepted" | "refused") => answering.mutate({ id, answer, note });
  return (
    <>
      <Space.Compact>
        <Input
          aria-label={t("gallery.why")}
          placeholder={t("gallery.why")}
          value={note}
          maxLength={2000}
          onChange={(e) => setNote(e.target.value)}
        />
        <Button disabled={!note.trim()} onClick={() => say("accepted")}>
          {t("gallery.accept")}
        </Button>
        <Button disabled={!note.trim()} danger onClick={() => say("refused")}>
          {t("gallery.refuse")}
        </Button>
      </Space.Compact>
      {answering.error ? <Refusal error={answering.error} /> : null}
    </>
  );
}
