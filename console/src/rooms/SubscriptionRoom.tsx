import { ArrowLeftOutlined } from "@ant-design/icons";
import { Button, Segmented, Skeleton, Table, type TableColumnsType, Tag } from "antd";
import { useState } from "react";
import { Link, useParams } from "react-router";
import { useDepartmentNames } from "../api/access";
import type { Schemas } from "../api/client";
import {
  type DeliveryState,
  type Subscription,
  useAttempts,
  useDeliveries,
  useSubscription,
} from "../api/subscriptions";
import { useTexts } from "../i18n";
import { HoursText } from "../parts/HoursText";
import { Trouble } from "../parts/Trouble";
import { formatDuration, formatTime } from "../parts/time";
import { SubscriptionActions } from "./SubscriptionActions";
import { Health } from "./SubscriptionsRoom";

type Delivery = Schemas["Delivery"];
const STATES: (DeliveryState | "all")[] = [
  "all",
  "pending",
  "delivered",
  "dead",
  "withheld",
  "silenced",
  "suppressed",
];

/** One subscription: how it goes, each delivery and each attempt, and what can be done. */
export function SubscriptionRoom() {
  const { t } = useTexts();
  const number = Number(useParams().id);
  const { data, error, isPending, refetch } = useSubscription(number);
  return (
    <div className="page">
      <div className="head">
        <Link to="/subscriptions" className="state">
          <ArrowLeftOutlined />
          &nbsp;{t("subs.back")}
        </Link>
      </div>
      {isPending ? <Skeleton active /> : null}
      {error && !data ? <Trouble error={error} retry={() => void refetch()} /> : null}
      {data ? (
        <>
          <Facts of={data} />
          <Log number={number} />
        </>
      ) : null}
    </div>
  );
}

function Facts({ of }: { of: Subscription }) {
  const { t, word } = useTexts();
  const names = useDepartmentNames();
  const { channel } = of;
  const where = "url" in channel && channel.url ? channel.url : t("subs.url.none");
  return (
    <section className="panel">
      <div className="head">
        <h1 style={{ margin: 0 }}>{of.name}</h1>
        <Health of={of} />
      </div>
      <dl className="facts">
        <dt>{t("subs.department")}</dt>
        <dd>{names[of.department] ?? of.department}</dd>
        <dt>{t("subs.channel")}</dt>
        <dd>
          {word("channel", channel.kind)} <span className="mono dim">{where}</span>
        </dd>
        <dt>{t("subs.wanted")}</dt>
        <dd>
          <Wanted of={of} />
        </dd>
        <dt>{t("hours.title")}</dt>
        <dd>
          <HoursText hours={of.wanted.hours} />
        </dd>
        {of.cooldown_s > 0 ? (
          <>
            <dt>{t("subs.cooldown")}</dt>
            <dd>{formatDuration(of.cooldown_s, t)}</dd>
          </>
        ) : null}
        <dt>{t("subs.waiting")}</dt>
        <dd>{of.waiting}</dd>
      </dl>
      <SubscriptionActions of={of} />
    </section>
  );
}

/** What it is told of, in words. */
function Wanted({ of }: { of: Subscription }) {
  const { t, word } = useTexts();
  const { types, severities, cameras, zones, grids } = of.wanted;
  const only = [
    ...types.map((type) => word("event", type)),
    ...severities.map((severity) => word("severity", severity)),
    ...cameras,
    ...zones,
    ...grids.map((grid) => t("grants.grid", { grid })),
  ];
  return <>{only.join(" · ") || t("subs.wanted.all")}</>;
}

/** The server counts no further. */
const COUNTED = 10_000;

function told(count: number | undefined): string {
  if (count === undefined) return "";
  return count < COUNTED ? `${count}` : `${COUNTED}+`;
}

function Log({ number }: { number: number }) {
  const { t, word } = useTexts();
  const [state, setState] = useState<DeliveryState | "all">("all");
  const log = useDeliveries(number, state === "all" ? null : state);
  const columns = useColumns();
  const counts = log.data?.pages[0]?.counts;
  return (
    <section className="panel">
      <h2>{t("subs.log")}</h2>
      <Segmented
        value={state}
        onChange={setState}
        options={STATES.map((value) => ({
          value,
          label: `${word("delivery", value)} ${value === "all" ? "" : told(counts?.[value])}`.trim(),
        }))}
      />
      {log.error && !log.data ? <Trouble error={log.error} retry={() => void log.refetch()} /> : null}
      <Table<Delivery>
        rowKey="id"
        size="small"
        loading={log.isPending}
        columns={columns}
        dataSource={log.data?.pages.flatMap((page) => page.deliveries) ?? []}
        pagination={false}
        expandable={{
          expandedRowRender: (one) => <Attempts number={number} delivery={one.id} />,
          rowExpandable: (one) => one.attempts > 0,
        }}
      />
      {log.hasNextPage ? (
        <Button block loading={log.isFetchingNextPage} onClick={() => void log.fetchNextPage()}>
          {t("list.more")}
        </Button>
      ) : null}
    </section>
  );
}

function useColumns(): TableColumnsType<Delivery> {
  const { t, word, language } = useTexts();
  return [
    { title: "#", dataIndex: "number" },
    {
      title: t("subs.event"),
      render: (_, one) => (
        <Link to={`/events/${one.event_id}`}>{`${one.event_id.slice(0, 8)}… · ${one.seq}`}</Link>
      ),
    },
    { title: t("subs.written"), render: (_, one) => formatTime(one.created_utc, language) },
    { title: t("subs.state"), render: (_, one) => <Tag>{word("delivery", one.state)}</Tag> },
    { title: t("subs.attempts"), dataIndex: "attempts" },
  ];
}

function Attempts({ number, delivery }: { number: number; delivery: string }) {
  const { language } = useTexts();
  const { data } = useAttempts(number, delivery);
  return (
    <ul className="mono dim">
      {(data?.attempts ?? []).map((one) => (
        <li key={one.utc}>
          {formatTime(one.utc, language)} · {one.outcome} · {one.status ?? ""} · {Math.round(one.took_ms)} ms
          · {one.detail}
        </li>
      ))}
    </ul>
  );
}
