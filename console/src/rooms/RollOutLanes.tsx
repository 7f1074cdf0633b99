import { Table, type TableColumnsType, Tag } from "antd";
import { type Lane, useLanes } from "../api/algorithms";
import { useTexts } from "../i18n";
import { Trouble } from "../parts/Trouble";
import { formatTime } from "../parts/time";

/** Candidates that run on cameras now, with what they and production have opened meanwhile; nothing where there is none. */
export function RollOutLanes() {
  const { t, word, language } = useTexts();
  const { data, error, refetch } = useLanes();
  const columns: TableColumnsType<Lane> = [
    { title: t("algos.algorithm"), render: (_, one) => `${word("event", one.algorithm)} ${one.version}` },
    { title: t("algos.stage"), render: (_, one) => <Tag>{word("stage", one.kind)}</Tag> },
    { title: t("rollout.cameras"), render: (_, one) => one.cameras.join(", ") },
    { title: t("rollout.since"), render: (_, one) => formatTime(one.began_utc, language) },
    { title: t("rollout.hours"), render: (_, one) => (one.camera_days * 24).toFixed(1) },
    { title: t("rollout.candidate"), dataIndex: "candidate" },
    { title: t("rollout.production"), dataIndex: "production" },
    { title: t("rollout.both"), render: (_, one) => one.both ?? "–" },
  ];
  if (error && !data) return <Trouble error={error} retry={() => void refetch()} />;
  if (!data?.length) return null;
  return (
    <section className="panel" data-testid="lanes">
      <h2>{t("rollout.title")}</h2>
      <p className="dim">{t("rollout.about")}</p>
      <Table<Lane> rowKey="number" size="small" columns={columns} dataSource={data} pagination={false} />
    </section>
  );
}
