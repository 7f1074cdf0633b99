import { PlusOutlined } from "@ant-design/icons";
import { Button, Skeleton, Table, type TableColumnsType, Tag } from "antd";
import { useState } from "react";
import { Link } from "react-router";
import { useDepartmentNames } from "../api/access";
import { type Subscription, useSubscriptions } from "../api/subscriptions";
import { useTexts } from "../i18n";
import { Nothing, Trouble } from "../parts/Trouble";
import { formatTime } from "../parts/time";
import { SubscriptionForm } from "./SubscriptionForm";

/** Who is told of what, and how it goes. */
export function SubscriptionsRoom() {
  const { t } = useTexts();
  const { data, error, isPending, refetch } = useSubscriptions();
  const [making, setMaking] = useState(false);
  const columns = useColumns();
  return (
    <div className="page">
      <div className="head">
        <h1>{t("subs.title")}</h1>
        <Button type="primary" className="push" icon={<PlusOutlined />} onClick={() => setMaking(true)}>
          {t("subs.new")}
        </Button>
      </div>
      <section className="panel">
        {isPending ? <Skeleton active /> : null}
        {error && !data ? <Trouble error={error} retry={() => void refetch()} /> : null}
        {data ? (
          <Table<Subscription>
            rowKey="id"
            size="small"
            columns={columns}
            dataSource={data}
            pagination={{ pageSize: 50, hideOnSinglePage: true, showSizeChanger: false }}
            locale={{ emptyText: <Nothing title={t("subs.empty")} text={t("subs.empty.how")} /> }}
          />
        ) : null}
      </section>
      {making ? <SubscriptionForm close={() => setMaking(false)} /> : null}
    </div>
  );
}

function useColumns(): TableColumnsType<Subscription> {
  const { t, word } = useTexts();
  const names = useDepartmentNames();
  return [
    { title: t("subs.name"), render: (_, one) => <Link to={`/subscriptions/${one.id}`}>{one.name}</Link> },
    { title: t("subs.department"), render: (_, one) => names[one.department] ?? one.department },
    { title: t("subs.channel"), render: (_, one) => word("channel", one.channel.kind) },
    {
      title: t("subs.wanted"),
      render: (_, one) => one.wanted.types.map((type) => word("event", type)).join(" · ") || t("subs.all"),
    },
    { title: t("subs.waiting"), dataIndex: "waiting" },
    { title: t("subs.state"), render: (_, one) => <Health of={one} /> },
  ];
}

/** How it goes: sending, held, or failing since when. */
export function Health({ of }: { of: Subscription }) {
  const { t, language } = useTexts();
  if (!of.enabled) return <Tag>{t("subs.off")}</Tag>;
  if (of.paused) return <Tag color="gold">{t("subs.paused", { why: of.paused })}</Tag>;
  if (of.failing_since != null) {
    const since = formatTime(of.failing_since, language, false);
    return (
      <>
        <Tag color="red">{t("subs.failing", { since, n: of.failures })}</Tag>
        <div className="dim">{of.last_error}</div>
      </>
    );
  }
  return <Tag color="green">{t("subs.fine")}</Tag>;
}
