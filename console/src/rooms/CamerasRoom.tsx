import { SearchOutlined } from "@ant-design/icons";
import { Input, Select, Skeleton, Table, type TableColumnsType, Tag } from "antd";
import { useDeferredValue, useState } from "react";
import { Link, useNavigate } from "react-router";
import type { CameraSummary } from "../api/client";
import { useCameras, useTallies } from "../api/queries";
import { useTexts } from "../i18n";
import { CameraState } from "../parts/State";
import { Nothing, Trouble } from "../parts/Trouble";

const PAGE = 50;
const STATES = ["running", "connecting", "stalled", "offline", "unknown", "disabled"];

export function CamerasRoom() {
  const { t, word } = useTexts();
  const navigate = useNavigate();
  const [text, setText] = useState("");
  const [states, setStates] = useState<string[]>([]);
  const [departments, setDepartments] = useState<string[]>([]);
  const [page, setPage] = useState(1);
  const q = useDeferredValue(text.trim());
  const which = { q, state: states, department: departments, page, limit: PAGE };
  const { data, error, isPending, refetch } = useCameras(which);
  const tallies = useTallies().data;
  const columns = useColumns();
  return (
    <div className="page">
      <div className="head">
        <h1>{t("cameras.title")}</h1>
        <span className="dim number">{data ? data.total : ""}</span>
        <Input
          allowClear
          prefix={<SearchOutlined />}
          placeholder={t("cameras.search")}
          aria-label={t("cameras.search")}
          value={text}
          onChange={(e) => {
            setText(e.target.value);
            setPage(1);
          }}
          style={{ width: 240 }}
        />
        <Select
          mode="multiple"
          placeholder={t("cameras.state")}
          aria-label={t("cameras.state")}
          value={states}
          onChange={(value) => {
            setStates(value);
            setPage(1);
          }}
          style={{ minWidth: 180 }}
          options={STATES.map((value) => ({ value, label: word("state", value) }))}
        />
        <Select
          mode="multiple"
          showSearch={{ optionFilterProp: "label" }}
          placeholder={t("cameras.department")}
          aria-label={t("cameras.department")}
          value={departments}
          onChange={(value) => {
            setDepartments(value);
            setPage(1);
          }}
          style={{ minWidth: 180 }}
          options={(tallies?.departments ?? []).map((one) => ({ value: one.id, label: one.name }))}
        />
      </div>
      {isPending ? <Skeleton active paragraph={{ rows: 8 }} /> : null}
      {error && !data ? <Trouble error={error} retry={() => void refetch()} /> : null}
      {data ? (
        <Table<CameraSummary>
          rowKey="id"
          size="small"
          columns={columns}
          dataSource={data.cameras}
          pagination={{
            current: data.page,
            total: data.total,
            onChange: setPage,
            pageSize: PAGE,
            hideOnSinglePage: true,
            showSizeChanger: false,
          }}
          onRow={(camera) => ({
            onClick: () => navigate(`/cameras/${encodeURIComponent(camera.id)}`),
            style: { cursor: "pointer" },
          })}
          locale={{ emptyText: <Nothing title={t("cameras.empty")} /> }}
        />
      ) : null}
    </div>
  );
}

function useColumns(): TableColumnsType<CameraSummary> {
  const { t, word } = useTexts();
  return [
    {
      title: t("cameras.name"),
      render: (_, camera) => (
        <>
          <Link to={`/cameras/${encodeURIComponent(camera.id)}`} onClick={(e) => e.stopPropagation()}>
            {camera.name}
          </Link>
          <div className="dim mono">{camera.id}</div>
        </>
      ),
    },
    {
      title: t("cameras.state"),
      width: 130,
      render: (_, camera) => <CameraState state={camera.status.state} />,
    },
    { title: t("cameras.department"), dataIndex: "department_name", width: 180 },
    {
      title: t("cameras.class"),
      width: 90,
      render: (_, camera) => t("cameras.class.n", { n: camera.camera_class }),
    },
    {
      title: t("cameras.algorithms"),
      width: 220,
      render: (_, camera) => camera.algorithms.map((one) => <Tag key={one}>{word("event", one)}</Tag>),
    },
    {
      title: t("cameras.zones"),
      width: 280,
      render: (_, camera) => (
        <span className="dim">{camera.zones.map((z) => z.name || word("zone", z.kind)).join("、")}</span>
      ),
    },
  ];
}
