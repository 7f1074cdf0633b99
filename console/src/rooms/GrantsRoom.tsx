import { PlusOutlined } from "@ant-design/icons";
import { Button, Skeleton, Table, type TableColumnsType, Tabs, Tag } from "antd";
import { useState } from "react";
import { type Grant, useDepartmentNames, useGrants, useRights } from "../api/access";
import { useTexts } from "../i18n";
import { HoursText } from "../parts/HoursText";
import { Nothing, Trouble } from "../parts/Trouble";
import { formatTime } from "../parts/time";
import { GrantActions } from "./GrantActions";
import { NewGrant } from "./NewGrant";

type Tab = "waiting" | "asked" | "active" | "over";

/** Which tab a grant stands in. */
function tabOf(grant: Grant): Tab {
  if (grant.state === "asked") return grant.may_decide ? "waiting" : "asked";
  return grant.in_force || (grant.state === "approved" && grant.starts_utc * 1000 > Date.now())
    ? "active"
    : "over";
}

/** Access to other departments' cameras: asked for, decided, revoked. */
export function GrantsRoom() {
  const { t } = useTexts();
  const may = useRights();
  const { data, error, isPending, refetch } = useGrants();
  const [asking, setAsking] = useState(false);
  const tabs: Tab[] = ["waiting", "asked", "active", "over"];
  const of = (tab: Tab) => (data ?? []).filter((grant) => tabOf(grant) === tab);
  return (
    <div className="page">
      <div className="head">
        <h1>{t("grants.title")}</h1>
        {may("ask") ? (
          <Button type="primary" className="push" icon={<PlusOutlined />} onClick={() => setAsking(true)}>
            {t("grants.ask")}
          </Button>
        ) : null}
      </div>
      <section className="panel">
        <p className="dim">{t("grants.what")}</p>
        {isPending ? <Skeleton active /> : null}
        {error && !data ? <Trouble error={error} retry={() => void refetch()} /> : null}
        {data ? (
          <Tabs
            items={tabs.map((tab) => ({
              key: tab,
              label: `${t(`grants.tab.${tab}`)} ${of(tab).length || ""}`,
              children: <Grants grants={of(tab)} />,
            }))}
          />
        ) : null}
      </section>
      {asking ? <NewGrant close={() => setAsking(false)} /> : null}
    </div>
  );
}

function Grants({ grants }: { grants: Grant[] }) {
  const { t } = useTexts();
  return (
    <Table<Grant>
      rowKey="id"
      size="small"
      columns={useColumns()}
      dataSource={grants}
      pagination={{ pageSize: 50, hideOnSinglePage: true, showSizeChanger: false }}
      locale={{ emptyText: <Nothing title={t("grants.empty")} /> }}
    />
  );
}

function useColumns(): TableColumnsType<Grant> {
  const { t, language } = useTexts();
  const names = useDepartmentNames();
  return [
    {
      title: t("grants.who"),
      render: (_, grant) => (
        <>
          <b>{names[grant.grantee] ?? grant.grantee}</b> ← {names[grant.owner] ?? grant.owner}
        </>
      ),
    },
    { title: t("grants.allows"), render: (_, grant) => <Allows grant={grant} /> },
    { title: t("grants.purpose"), dataIndex: "purpose" },
    { title: t("grants.until"), render: (_, grant) => formatTime(grant.expires_utc, language, false) },
    { title: t("grants.history"), render: (_, grant) => <History grant={grant} /> },
    { title: "", align: "right", render: (_, grant) => <GrantActions grant={grant} /> },
  ];
}

/** What a grant lets through, in words. */
function Allows({ grant }: { grant: Grant }) {
  const { t, word } = useTexts();
  const only = [
    ...grant.cameras,
    ...grant.zones,
    ...grant.grids.map((grid) => t("grants.grid", { grid })),
    ...grant.types.map((type) => word("event", type)),
  ];
  return (
    <>
      {grant.actions.map((action) => (
        <Tag key={action}>{word("access", action)}</Tag>
      ))}
      <div className="dim">{only.length > 0 ? only.join(" · ") : t("grants.all")}</div>
      {grant.hours ? (
        <div className="dim">
          <HoursText hours={grant.hours} />
        </div>
      ) : null}
    </>
  );
}

function History({ grant }: { grant: Grant }) {
  const { t } = useTexts();
  const lines = [t("grants.asked_by", { who: grant.asked_by })];
  if (grant.decided_by) {
    const refused = grant.state === "refused";
    lines.push(t(refused ? "grants.refused_by" : "grants.approved_by", { who: grant.decided_by }));
  }
  if (grant.ended_by) lines.push(t("grants.revoked_by", { who: grant.ended_by }));
  if (grant.note) lines.push(grant.note);
  return <span className="dim">{lines.join(" · ")}</span>;
}
