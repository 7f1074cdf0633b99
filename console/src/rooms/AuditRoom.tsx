import { keepPreviousData, useInfiniteQuery, useMutation } from "@tanstack/react-query";
import { Alert, Button, Input, Skeleton, Table, type TableColumnsType } from "antd";
import { useState } from "react";
import { Link } from "react-router";
import { call, type Schemas } from "../api/client";
import { useTexts } from "../i18n";
import { MomentField } from "../parts/MomentField";
import { Trouble } from "../parts/Trouble";
import { formatTime } from "../parts/time";

type Line = Schemas["AuditEntry"];
const PAGE = 100;

/** The audit log: what was done, by whom; and whether the chain holds. */
export function AuditRoom() {
  const { t } = useTexts();
  const [who, setWho] = useState("");
  const [action, setAction] = useState("");
  const [since, setSince] = useState<number | null>(null);
  const [until, setUntil] = useState<number | null>(null);
  const { data, error, isPending, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } =
    useInfiniteQuery({
      queryKey: ["audit", who, action, since, until],
      queryFn: ({ pageParam }) =>
        call("get", "/api/audit", {
          query: {
            who: who || undefined,
            action: action || undefined,
            since: since ?? undefined,
            until: until ?? undefined,
            before: pageParam,
            limit: PAGE,
          },
        }),
      initialPageParam: undefined as number | undefined,
      getNextPageParam: (page) => page.next_before ?? undefined,
      placeholderData: keepPreviousData,
    });
  const columns = useColumns();
  return (
    <div className="page">
      <div className="head">
        <h1>{t("audit.title")}</h1>
        <Input.Search allowClear placeholder={t("audit.who")} onSearch={setWho} style={{ width: 180 }} />
        <Input.Search
          allowClear
          placeholder={t("audit.action")}
          onSearch={setAction}
          style={{ width: 220 }}
        />
        <MomentField label={t("audit.since")} value={since} onChange={setSince} width={215} />
        –
        <MomentField label={t("audit.until")} value={until} onChange={setUntil} width={215} />
        <Link className="push" to="/shift">
          {t("shift.history")}
        </Link>
        <Link to="/cases/statistics">{t("statistics.title")}</Link>
      </div>
      <Verification />
      <section className="panel">
        {isPending ? <Skeleton active /> : null}
        {error && !data ? <Trouble error={error} retry={() => void refetch()} /> : null}
        {data ? (
          <Table<Line>
            rowKey="id"
            size="small"
            columns={columns}
            dataSource={data.pages.flatMap((page) => page.lines)}
            pagination={false}
          />
        ) : null}
        {hasNextPage ? (
          <Button block loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
            {t("list.more")}
          </Button>
        ) : null}
      </section>
    </div>
  );
}

function useColumns(): TableColumnsType<Line> {
  const { t, language } = useTexts();
  return [
    { title: "#", dataIndex: "id" },
    { title: t("audit.when"), render: (_, line) => formatTime(line.utc, language) },
    { title: t("audit.who"), dataIndex: "who" },
    { title: t("audit.action"), dataIndex: "action" },
    {
      title: t("audit.what"),
      render: (_, line) => <span className="mono dim">{JSON.stringify(line.what)}</span>,
    },
  ];
}

function Verification() {
  const { t } = useTexts();
  const checking = useMutation({ mutationFn: () => call("post", "/api/audit/verification") });
  const found = checking.data;
  return (
    <section className="panel">
      <p className="dim">{t("audit.about")}</p>
      <Button loading={checking.isPending} onClick={() => checking.mutate()}>
        {t("audit.verify")}
      </Button>
      {checking.error ? <Trouble error={checking.error} /> : null}
      {found ? (
        <Alert
          data-testid="audit-state"
          style={{ marginTop: 12 }}
          type={found.holds ? "success" : "error"}
          showIcon
          title={found.holds ? t("audit.holds", { n: found.lines }) : found.problem}
          description={<span className="mono">{`${found.head}:${found.head_hash}`}</span>}
        />
      ) : null}
    </section>
  );
}
