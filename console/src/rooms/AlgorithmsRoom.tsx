import { useMutation } from "@tanstack/react-query";
import { Alert, Button, Skeleton, Table, type TableColumnsType, Tag, Timeline } from "antd";
import { type AlgorithmVersion, type LedgerLine, useLedger, useVersions } from "../api/algorithms";
import { call } from "../api/client";
import { useTexts } from "../i18n";
import { Nothing, Trouble } from "../parts/Trouble";
import { formatTime } from "../parts/time";
import { RollOutLanes } from "./RollOutLanes";
import { RollOutSteps } from "./RollOutSteps";
import { TuneVersion } from "./TuneVersion";
import { UploadVersion } from "./UploadVersion";

const COLOURS: Partial<Record<AlgorithmVersion["stage"], string>> = {
  production: "green",
  canary: "gold",
  shadow: "blue",
};

/** Versions of algorithms: where each is in its life, and what was done with it, by whom and on what grounds. */
export function AlgorithmsRoom() {
  const { t } = useTexts();
  const { data, error, isPending, refetch } = useVersions();
  const columns = useColumns();
  return (
    <div className="page">
      <div className="head">
        <h1>{t("algos.title")}</h1>
        <UploadVersion />
      </div>
      <Verification />
      <RollOutLanes />
      <section className="panel">
        {isPending ? <Skeleton active /> : null}
        {error && !data ? <Trouble error={error} retry={() => void refetch()} /> : null}
        {data?.length === 0 ? <Nothing title={t("algos.empty")} text={t("algos.empty.how")} /> : null}
        {data?.length ? (
          <Table<AlgorithmVersion>
            rowKey="id"
            size="small"
            columns={columns}
            dataSource={inOrder(data)}
            pagination={false}
            expandable={{ expandedRowRender: (one) => <Version of={one} versions={data} /> }}
          />
        ) : null}
      </section>
    </div>
  );
}

/** By algorithm; of each what stands in production first, then the newest. */
function inOrder(versions: AlgorithmVersion[]): AlgorithmVersion[] {
  const last = (one: AlgorithmVersion) => (one.stage === "production" ? 0 : 1);
  return [...versions].sort(
    (a, b) => a.algorithm.localeCompare(b.algorithm) || last(a) - last(b) || b.id - a.id,
  );
}

function useColumns(): TableColumnsType<AlgorithmVersion> {
  const { t, word, language } = useTexts();
  return [
    { title: t("algos.algorithm"), render: (_, one) => word("event", one.algorithm) },
    { title: t("algos.version"), dataIndex: "version" },
    {
      title: t("algos.stage"),
      render: (_, one) => <Tag color={COLOURS[one.stage]}>{word("stage", one.stage)}</Tag>,
    },
    {
      title: t("algos.models"),
      render: (_, one) =>
        one.models.map((model) => (
          <div key={model.role}>
            {model.name} <span className="mono dim">{model.sha256.slice(0, 12)}</span>
          </div>
        )),
    },
    { title: t("algos.author"), dataIndex: "author" },
    { title: t("algos.entered"), render: (_, one) => formatTime(one.created_utc, language) },
  ];
}

function Version({ of, versions }: { of: AlgorithmVersion; versions: AlgorithmVersion[] }) {
  return (
    <>
      <RollOutSteps version={of} /> <TuneVersion version={of} />
      <Brought of={of} />
      <Story of={of} versions={versions} />
    </>
  );
}

/** Parameters that the version brings to its rule. */
function Brought({ of }: { of: AlgorithmVersion }) {
  const { t } = useTexts();
  const brought = Object.entries(of.parameters ?? {});
  if (!brought.length) return null;
  return (
    <p data-testid="parameters">
      {t("algos.parameters")}{" "}
      {brought.map(([name, value]) => (
        <Tag key={name} className="mono">
          {name} = {String(value)}
        </Tag>
      ))}
    </p>
  );
}

/** The ledger's lines about one version. */
function Story({ of, versions }: { of: AlgorithmVersion; versions: AlgorithmVersion[] }) {
  const { word, language } = useTexts();
  const told = useGrounds(versions);
  const { data, error, isPending, refetch } = useLedger(of.algorithm);
  if (error && !data) return <Trouble error={error} retry={() => void refetch()} />;
  if (isPending) return <Skeleton active />;
  return (
    <Timeline
      data-testid="ledger"
      items={data
        .filter((line) => line.version_id === of.id)
        .map((line) => ({
          key: line.number,
          content: (
            <>
              <b>{word("move", line.move)}</b> → {word("stage", line.target)}{" "}
              <span className="dim">
                {formatTime(line.utc, language)} · {line.who} ({word("office", line.office)}) · #{line.number}
              </span>
              <div>{told(line.grounds)}</div>
            </>
          ),
        }))}
    />
  );
}

/** What a move was founded on, in words; hashes by their beginning. */
function useGrounds(versions: AlgorithmVersion[]): (grounds: LedgerLine["grounds"]) => string {
  const { t } = useTexts();
  return ({ why, passed, other, cameras, evaluation, comparison, card, run, report }) => {
    const words = [];
    if (passed != null) words.push(t(passed ? "algos.passed" : "algos.refused"));
    if (why) words.push(why);
    if (other != null) words.push(t("algos.other", { version: versionOf(versions, other) }));
    if (cameras) words.push(t("algos.cameras", { cameras: cameras.join(", ") || t("grants.any") }));
    for (const [key, hash] of Object.entries({ evaluation, comparison, card, run, report })) {
      if (hash) words.push(`${t(`algos.${key}` as "algos.card")} ${hash.slice(0, 12)}`);
    }
    return words.join(" · ");
  };
}

function versionOf(versions: AlgorithmVersion[], id: number): string {
  return versions.find((one) => one.id === id)?.version ?? `#${id}`;
}

function Verification() {
  const { t } = useTexts();
  const checking = useMutation({ mutationFn: () => call("post", "/api/algorithms/ledger/verification") });
  const found = checking.data;
  return (
    <section className="panel">
      <p className="dim">{t("algos.about")}</p>
      <Button loading={checking.isPending} onClick={() => checking.mutate()}>
        {t("algos.verify")}
      </Button>
      {checking.error ? <Trouble error={checking.error} /> : null}
      {found ? (
        <Alert
          data-testid="ledger-state"
          style={{ marginTop: 12 }}
          type={found.holds ? "success" : "error"}
          showIcon
          title={found.holds ? t("audit.holds", { n: found.lines }) : found.problem}
        />
      ) : null}
    </section>
  );
}
