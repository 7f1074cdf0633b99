import { Alert, Button, Popconfirm, Skeleton, Table, type TableColumnsType, Tag } from "antd";
import { Link } from "react-router";
import { ApiError, type Schemas } from "../api/client";
import { type Exchange, type Reconciled, useExchange, useReconciliation, useRetry } from "../api/exchange";
import { useTexts } from "../i18n";
import { useNow } from "../parts/Cases";
import { Nothing, Refusal, Trouble } from "../parts/Trouble";
import { formatDuration, formatTime } from "../parts/time";

type Outlook = Exchange["outlook"];
type Refused = Outlook["turned_down"][number];
type Difference = Schemas["DifferenceOut"];

/** Cases exchanged with the city's existing platform: how it goes, what it refuses, what differs. */
export function ExchangeRoom() {
  const { t } = useTexts();
  const { data, error, isPending, refetch } = useExchange();
  return (
    <div className="page">
      <div className="head">
        <h1>{t("exchange.title")}</h1>
        <span className="dim">{data?.platform}</span>
      </div>
      {isPending ? <Skeleton active /> : null}
      {error && !data ? <Trouble error={error} retry={() => void refetch()} /> : null}
      {data && data.platform === null ? (
        <Nothing title={t("exchange.off")} text={t("exchange.off.how")} />
      ) : null}
      {data && data.platform !== null ? (
        <>
          <Queue of={data.outlook} />
          <TurnedDown of={data.outlook} />
          <Reconciling />
        </>
      ) : null}
    </div>
  );
}

/** How much waits, since when and why. */
function Queue({ of }: { of: Outlook }) {
  const { t, language } = useTexts();
  const now = useNow(1_000);
  const oldest = of.oldest_utc ?? null;
  return (
    <section className="panel" data-testid="exchange-queue">
      <h2>{t("exchange.queue")}</h2>
      {of.error ? (
        <Alert
          type="warning"
          showIcon
          style={{ marginBottom: 10 }}
          title={t("exchange.away")}
          description={of.error}
        />
      ) : null}
      <dl className="facts">
        <dt>{t("exchange.state")}</dt>
        <dd>
          {of.waiting === 0 ? (
            <Tag color="green">{t("exchange.done")}</Tag>
          ) : (
            <Tag color={of.error ? "red" : "blue"}>{t(of.error ? "exchange.held" : "exchange.going")}</Tag>
          )}
        </dd>
        <dt>{t("exchange.waiting")}</dt>
        <dd>
          {of.waiting}
          {oldest === null ? null : (
            <span className="dim">
              {" "}
              {t("exchange.oldest", {
                time: formatTime(oldest, language, false),
                for: formatDuration(now - oldest, t),
              })}
            </span>
          )}
        </dd>
        <dt>{t("exchange.told")}</dt>
        <dd>
          {of.told}
          {of.last_told_utc == null ? null : (
            <span className="dim">
              {" "}
              {t("exchange.last", { time: formatTime(of.last_told_utc, language) })}
            </span>
          )}
        </dd>
        <dt>{t("exchange.refused")}</dt>
        <dd>{of.refused}</dd>
      </dl>
    </section>
  );
}

/** What the platform will not hear, and trying again. */
function TurnedDown({ of }: { of: Outlook }) {
  const { t, language } = useTexts();
  const retry = useRetry();
  const columns: TableColumnsType<Refused> = [
    { title: t("exchange.case"), width: 120, render: (_, one) => <CaseLink number={one.case} /> },
    { title: t("exchange.revision"), width: 90, dataIndex: "revision" },
    {
      title: t("exchange.when"),
      width: 150,
      render: (_, one) => <span className="number nowrap">{formatTime(one.utc, language)}</span>,
    },
    { title: t("exchange.why"), dataIndex: "error" },
    {
      width: 150,
      render: (_, one) =>
        one.superseded ? (
          <span className="dim">{t("exchange.superseded")}</span>
        ) : (
          <Button size="small" loading={retry.isPending} onClick={() => retry.mutate(one.case)}>
            {t("exchange.retry")}
          </Button>
        ),
    },
  ];
  return (
    <section className="panel" data-testid="exchange-refused">
      <h2>{t("exchange.turned_down")}</h2>
      {retry.error ? <Refusal error={retry.error} /> : null}
      {of.turned_down.length === 0 ? (
        <p className="dim">{t("exchange.turned_down.none")}</p>
      ) : (
        <>
          <p className="dim">{t("exchange.turned_down.how")}</p>
          <Table<Refused>
            rowKey={(one) => `${one.case}-${one.revision}`}
            size="small"
            columns={columns}
            dataSource={of.turned_down}
            pagination={{ pageSize: 20, hideOnSinglePage: true, showSizeChanger: false }}
          />
          {of.refused > of.turned_down.length ? (
            <p className="dim">{t("exchange.more", { n: of.refused - of.turned_down.length })}</p>
          ) : null}
        </>
      )}
    </section>
  );
}

function CaseLink({ number }: { number: number }) {
  const { t } = useTexts();
  return <Link to={`/cases/${number}`}>{t("map.case", { n: number })}</Link>;
}

/** Both lists held against each other, when somebody asks for it. */
function Reconciling() {
  const { t, language } = useTexts();
  const reconciling = useReconciliation();
  const { data, error, isPending } = reconciling;
  const open = (data?.differences ?? []).some(
    (one) => one.outcome === "found" && one.kind !== "missing_here",
  );
  return (
    <section className="panel" data-testid="exchange-reconcile">
      <div className="head">
        <h2>{t("exchange.reconcile")}</h2>
        <Button className="push" type="primary" loading={isPending} onClick={() => reconciling.mutate(false)}>
          {t("exchange.reconcile.now")}
        </Button>
        {open ? (
          <Popconfirm
            title={t("exchange.repair.sure")}
            description={t("exchange.repair.how")}
            okText={t("exchange.repair.yes")}
            cancelText={t("password.cancel")}
            onConfirm={() => reconciling.mutate(true)}
          >
            <Button disabled={isPending}>{t("exchange.repair")}</Button>
          </Popconfirm>
        ) : null}
      </div>
      {error instanceof ApiError && error.problem.code === "platform_away" ? (
        <Alert type="error" showIcon title={t("exchange.no_answer")} description={error.problem.detail} />
      ) : error ? (
        <Trouble error={error} />
      ) : null}
      {data ? (
        <>
          <p>
            {t("exchange.compared", {
              time: formatTime(data.asked_utc, language),
              n: data.listed,
              d: data.differences.length,
            })}
          </p>
          <Differences of={data} />
        </>
      ) : (
        <p className="dim">{t("exchange.reconcile.how")}</p>
      )}
    </section>
  );
}

const OUTCOMES = { found: "default", done: "green", left: "red" } as const;

function Differences({ of }: { of: Reconciled }) {
  const { t, word } = useTexts();
  const columns: TableColumnsType<Difference> = [
    {
      title: t("exchange.case"),
      width: 120,
      render: (_, one) => (one.kind === "missing_here" ? one.case : <CaseLink number={one.case} />),
    },
    { title: t("exchange.kind"), width: 260, render: (_, one) => word("exchange.kind", one.kind) },
    { title: t("exchange.ours"), render: (_, one) => one.ours ?? t("exchange.missing") },
    { title: t("exchange.theirs"), render: (_, one) => one.theirs ?? t("exchange.missing") },
    {
      title: t("exchange.outcome"),
      render: (_, one) => (
        <>
          <Tag color={OUTCOMES[one.outcome]}>{t(`exchange.outcome.${one.outcome}`)}</Tag>
          <span className="dim">{one.done}</span>
        </>
      ),
    },
  ];
  return (
    <>
      {of.differences.length > 0 ? (
        <Table<Difference>
          rowKey="case"
          size="small"
          columns={columns}
          dataSource={of.differences}
          pagination={{ pageSize: 50, hideOnSinglePage: true, showSizeChanger: false }}
        />
      ) : null}
      {of.unread.map((one) => (
        <p key={one} className="dim">
          {t("exchange.unread", { what: one })}
        </p>
      ))}
    </>
  );
}
