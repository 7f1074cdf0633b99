import { PlusOutlined } from "@ant-design/icons";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { App, Button, Popconfirm, Skeleton, Space, Table, type TableColumnsType, Tag } from "antd";
import { useState } from "react";
import { PEOPLE, useDepartmentNames } from "../api/access";
import { call, type Schemas } from "../api/client";
import { useTexts } from "../i18n";
import { inOneLine, Trouble } from "../parts/Trouble";
import { PersonForm } from "./PersonForm";
import { ShownOnce } from "./ShownOnce";

type Person = Schemas["Person"];
type Shown = Schemas["NewPersonOut"];

/** Accounts: who there is, what for, and whether they may come in. */
export function PeopleRoom() {
  const { t } = useTexts();
  const { data, error, isPending, refetch } = useQuery({
    queryKey: PEOPLE,
    queryFn: () => call("get", "/api/people"),
  });
  const [editing, setEditing] = useState<Person | "new" | null>(null);
  const [shown, setShown] = useState<Shown | null>(null);
  const columns = useColumns(setEditing, setShown);
  return (
    <div className="page">
      <div className="head">
        <h1>{t("people.title")}</h1>
        <Button type="primary" className="push" icon={<PlusOutlined />} onClick={() => setEditing("new")}>
          {t("people.new")}
        </Button>
      </div>
      <section className="panel">
        {isPending ? <Skeleton active /> : null}
        {error && !data ? <Trouble error={error} retry={() => void refetch()} /> : null}
        {data ? (
          <Table<Person>
            rowKey="name"
            size="small"
            columns={columns}
            dataSource={data}
            rowClassName={(person) => (person.disabled ? "dim" : "")}
            pagination={{ pageSize: 50, hideOnSinglePage: true, showSizeChanger: false }}
          />
        ) : null}
      </section>
      {editing ? (
        <PersonForm
          person={editing === "new" ? null : editing}
          close={(made) => {
            setEditing(null);
            if (made) setShown(made);
          }}
        />
      ) : null}
      {shown ? (
        <ShownOnce
          title={t("people.password.of", { name: shown.person.name })}
          about={t("people.once")}
          text={shown.password}
          close={() => setShown(null)}
        />
      ) : null}
    </div>
  );
}

function useColumns(edit: (person: Person) => void, show: (made: Shown) => void): TableColumnsType<Person> {
  const { t, word } = useTexts();
  const names = useDepartmentNames();
  return [
    { title: t("people.name"), dataIndex: "name" },
    { title: t("people.display_name"), render: (_, person) => person.display_name || "—" },
    { title: t("people.role"), render: (_, person) => word("role", person.role) },
    {
      title: t("people.department"),
      render: (_, person) => (person.department ? (names[person.department] ?? person.department) : "—"),
    },
    {
      title: t("people.state"),
      render: (_, person) => (
        <>
          {person.disabled ? (
            <Tag>{t("people.disabled")}</Tag>
          ) : (
            <Tag color="green">{t("people.active")}</Tag>
          )}
          {person.must_change_password ? <Tag>{t("people.first")}</Tag> : null}
        </>
      ),
    },
    {
      title: "",
      align: "right",
      render: (_, person) => (
        <Space>
          <Button size="small" onClick={() => edit(person)}>
            {t("people.edit")}
          </Button>
          <Reset person={person} show={show} />
        </Space>
      ),
    },
  ];
}

function Reset({ person, show }: { person: Person; show: (made: Shown) => void }) {
  const { t } = useTexts();
  const { message } = App.useApp();
  const queries = useQueryClient();
  const resetting = useMutation({
    mutationFn: () => call("post", "/api/people/{name}/password", { path: { name: person.name } }),
    onSuccess: show,
    onError: (error) => void message.error(inOneLine(error, t)),
    onSettled: () => queries.invalidateQueries({ queryKey: PEOPLE }),
  });
  return (
    <Popconfirm
      title={t("people.reset.sure", { name: person.name })}
      okText={t("people.reset")}
      cancelText={t("password.cancel")}
      onConfirm={() => resetting.mutate()}
    >
      <Button size="small" loading={resetting.isPending}>
        {t("people.reset")}
      </Button>
    </Popconfirm>
  );
}
