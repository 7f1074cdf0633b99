import { ArrowLeftOutlined, PlusOutlined } from "@ant-design/icons";
import { useMutation } from "@tanstack/react-query";
import { Alert, Button, Skeleton, Table, type TableColumnsType } from "antd";
import { useState } from "react";
import { Link } from "react-router";
import {
  type CaseSilence,
  useCaseSilences,
  useCasesHidden,
  useRereadCaseSilences,
} from "../api/caseSilences";
import { call } from "../api/client";
import { useTexts } from "../i18n";
import { useNow } from "../parts/Cases";
import { Nothing, Refusal, Trouble } from "../parts/Trouble";
import { NewCaseSilence } from "./NewCaseSilence";
import { EndSilence, HeldBack, SilenceSpan, SilenceTag } from "./SilenceParts";
import { UncasedEvents } from "./UncasedEvents";
import "./silences.css";

/** Of which events no cases are made for a while, and what that keeps from the centre. */
export function CaseSilencesRoom() {
  const { t } = useTexts();
  const { data, error, isPending, refetch } = useCaseSilences();
  const [making, setMaking] = useState(false);
  const reread = useRereadCaseSilences();
  const ending = useMutation({
    mutationFn: (number: number) => call("delete", "/api/case-silences/{number}", { path: { number } }),
    onSettled: reread,
  });
  const columns = useColumns(ending.mutate, ending.isPending);
  return (
    <div className="page">
      <div className="head">
        <Link to="/cases">
          <ArrowLeftOutlined aria-hidden="true" /> {t("cases.back")}
        </Link>
        <h1>{t("case_silences.title")}</h1>
        <Button type="primary" className="push" icon={<PlusOutlined />} onClick={() => setMaking(true)}>
          {t("case_silences.new")}
        </Button>
      </div>
      <Alert type="info" showIcon title={t("case_silences.about")} style={{ marginBottom: 12 }} />
      {ending.error ? <Refusal error={ending.error} /> : null}
      <section className="panel">
        {isPending ? <Skeleton active /> : null}
        {error && !data ? <Trouble error={error} retry={() => void refetch()} /> : null}
        {data ? (
          <Table<CaseSilence>
            rowKey="id"
            size="small"
            columns={columns}
            dataSource={data}
            expandable={{ expandedRowRender: (one) => <Held of={one} /> }}
            pagination={{ pageSize: 50, hideOnSinglePage: true, showSizeChanger: false }}
            locale={{ emptyText: <Nothing title={t("silences.empty")} text={t("silences.empty.how")} /> }}
          />
        ) : null}
      </section>
      {making ? <NewCaseSilence close={() => setMaking(false)} /> : null}
    </div>
  );
}

function Held({ of }: { of: CaseSilence }) {
  const { t } = useTexts();
  const { data, error, isPending, refetch } = useCasesHidden(of.id, of.events);
  if (isPending) return <Skeleton active paragraph={{ rows: 2 }} />;
  if (error) return <Trouble error={error} retry={() => void refetch()} />;
  if (data.count === 0) return <p className="dim">{t("case_silences.hides.nothing")}</p>;
  return <UncasedEvents of={data} />;
}

function useColumns(end: (number: number) => void, busy: boolean): TableColumnsType<CaseSilence> {
  const { t, word } = useTexts();
  const now = useNow(1_000);
  return [
    {
      title: t("silences.state"),
      width: 110,
      render: (_, one) => <SilenceTag of={one} now={now} />,
    },
    {
      title: t("silences.note"),
      render: (_, one) => (
        <>
          {one.note}
          <div className="dim">{t("silences.by", { who: one.who })}</div>
        </>
      ),
    },
    {
      title: t("silences.what"),
      render: (_, one) =>
        [
          one.types.map((type) => word("event", type)).join("、"),
          one.cameras.length > 0 ? `${t("grants.cameras")} ${one.cameras.join("、")}` : "",
          one.grids.length > 0 ? `${t("subs.grids")} ${one.grids.join("、")}` : "",
        ]
          .filter(Boolean)
          .join(" · ") || t("silences.everything"),
    },
    {
      title: t("silences.span"),
      render: (_, one) => <SilenceSpan of={one} now={now} />,
    },
    {
      title: t("silences.hidden"),
      width: 110,
      render: (_, one) => <HeldBack count={one.events} text="case_silences.events" />,
    },
    {
      width: 110,
      render: (_, one) => (
        <EndSilence
          of={one}
          now={now}
          sure="case_silences.end.sure"
          text="silences.end"
          busy={busy}
          end={end}
        />
      ),
    },
  ];
}
