import { Skeleton, Table, Tag } from "antd";
import { Link } from "react-router";
import { useDatasets } from "../api/datasets";
import { useTexts } from "../i18n";
import { Nothing, Trouble } from "../parts/Trouble";
import { formatTime } from "../parts/time";
import { type Branch, treeOf } from "./datasets";

/** Versions of training data: which came from which. */
export function DatasetsRoom() {
  const { t, word, language } = useTexts();
  const { data, error, isPending, refetch } = useDatasets();
  return (
    <div className="page">
      <div className="head">
        <h1>{t("datasets.title")}</h1>
      </div>
      <section className="panel">
        <p className="dim">{t("datasets.about")}</p>
        {isPending ? <Skeleton active /> : null}
        {error && !data ? <Trouble error={error} retry={() => void refetch()} /> : null}
        {data?.length === 0 ? <Nothing title={t("datasets.empty")} text={t("datasets.empty.how")} /> : null}
        {data?.length ? (
          <Table<Branch>
            rowKey="digest"
            size="small"
            pagination={false}
            dataSource={treeOf(data)}
            expandable={{ defaultExpandAllRows: true }}
            columns={[
              {
                title: t("datasets.version"),
                render: (_, one) => (
                  <Link to={`/datasets/${one.digest}`}>
                    {one.name} <span className="mono">{one.digest.slice(0, 12)}</span>
                  </Link>
                ),
              },
              { title: t("label.task"), render: (_, one) => <Tag>{word("label.task", one.task)}</Tag> },
              { title: t("datasets.items"), dataIndex: "items" },
              { title: t("datasets.note"), dataIndex: "note" },
              {
                title: t("datasets.author"),
                render: (_, one) => `${one.author} · ${formatTime(one.created_utc, language)}`,
              },
            ]}
          />
        ) : null}
      </section>
    </div>
  );
}
