import { PlusOutlined } from "@ant-design/icons";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { App, Button, Popconfirm, Skeleton, Table, type TableColumnsType, Tag } from "antd";
import { useState } from "react";
import { useCaseBook } from "../api/cases";
import { call, type Schemas } from "../api/client";
import { useTexts } from "../i18n";
import { Nothing, Refusal, Trouble } from "../parts/Trouble";
import { formatTime } from "../parts/time";
import { NewKey } from "./NewKey";

type Key = Schemas["ApiKey"];
const KEYS = ["api-keys"];

/** Keys of other systems: who has one, for what, and whether it is still used. */
export function KeysRoom() {
  const { t } = useTexts();
  const queries = useQueryClient();
  const { data, error, isPending, refetch } = useQuery({
    queryKey: KEYS,
    queryFn: () => call("get", "/api/keys"),
  });
  const [making, setMaking] = useState(false);
  const columns = useColumns();
  return (
    <div className="page">
      <div className="head">
        <h1>{t("keys.title")}</h1>
        <Button type="primary" className="push" icon={<PlusOutlined />} onClick={() => setMaking(true)}>
          {t("keys.new")}
        </Button>
      </div>
      <section className="panel">
        <p className="dim">{t("keys.what")}</p>
        {isPending ? <Skeleton active /> : null}
        {error && !data ? <Trouble error={error} retry={() => void refetch()} /> : null}
        {data ? (
          <Table<Key>
            rowKey="id"
            size="small"
            columns={columns}
            dataSource={data}
            pagination={{ pageSize: 50, hideOnSinglePage: true, showSizeChanger: false }}
            rowClassName={(key) => (stateOf(key) === "active" ? "" : "dim")}
            locale={{ emptyText: <Nothing title={t("keys.empty")} text={t("keys.empty.how")} /> }}
          />
        ) : null}
      </section>
      {making ? (
        <NewKey
          close={() => {
            setMaking(false);
            void queries.invalidateQueries({ queryKey: KEYS });
          }}
        />
      ) : null}
    </div>
  );
}

type State = "active" | "expired" | "revoked";

function stateOf(key: Key): State {
  if (key.revoked_utc != null) return "revoked";
  return key.expires_utc * 1000 <= Date.now() ? "expired" : "active";
}

function useColumns(): TableColumnsType<Key> {
  const { t, word, language } = useTexts();
  const departments = useCaseBook().data?.departments ?? {};
  const time = (utc: number | null | undefined, none: string) =>
    utc == null ? <span className="dim">{none}</span> : formatTime(utc, language, false);
  return [
    {
      title: t("keys.name"),
      render: (_, key) => (
        <>
          <div>{key.name}</div>
          <span className="mono dim">{key.start}…</span>
        </>
      ),
    },
    {
      title: t("keys.scopes"),
      render: (_, key) => key.scopes.map((scope) => <Tag key={scope}>{word("scope", scope)}</Tag>),
    },
    {
      title: t("keys.department"),
      render: (_, key) =>
        key.department ? (departments[key.department] ?? key.department) : t("keys.department.all"),
    },
    { title: t("keys.owner"), dataIndex: "owner" },
    { title: t("keys.used"), render: (_, key) => time(key.last_used_utc, t("keys.used.never")) },
    { title: t("keys.expires"), render: (_, key) => time(key.expires_utc, "") },
    { title: t("keys.state"), render: (_, key) => <StateTag apiKey={key} /> },
    {
      title: "",
      align: "right",
      render: (_, key) => (stateOf(key) === "active" ? <Revoke apiKey={key} /> : null),
    },
  ];
}

function StateTag({ apiKey }: { apiKey: Key }) {
  const { t, language } = useTexts();
  const state = stateOf(apiKey);
  if (state === "revoked") {
    const told = { who: apiKey.revoked_by ?? "", time: formatTime(apiKey.revoked_utc ?? 0, language, false) };
    return <Tag>{t("keys.revoked", told)}</Tag>;
  }
  return state === "expired" ? <Tag>{t("keys.expired")}</Tag> : <Tag color="green">{t("keys.active")}</Tag>;
}

function Revoke({ apiKey }: { apiKey: Key }) {
  const { t } = useTexts();
  const { message } = App.useApp();
  const queries = useQueryClient();
  const revoking = useMutation({
    mutationFn: () => call("post", "/api/keys/{number}/revoke", { path: { number: apiKey.id } }),
    onSuccess: () => void message.success(t("keys.revoked.done")),
    onSettled: () => queries.invalidateQueries({ queryKey: KEYS }),
  });
  return (
    <>
      {revoking.error ? <Refusal error={revoking.error} /> : null}
      <Popconfirm
        title={t("keys.revoke.sure", { name: apiKey.name })}
        description={t("keys.revoke.how")}
        okText={t("keys.revoke")}
        cancelText={t("password.cancel")}
        onConfirm={() => revoking.mutate()}
      >
        <Button danger size="small" loading={revoking.isPending}>
          {t("keys.revoke")}
        </Button>
      </Popconfirm>
    </>
  );
}
