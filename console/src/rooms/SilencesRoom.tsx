import { PlusOutlined } from "@ant-design/icons";
import { useMutation } from "@tanstack/react-query";
import { Alert, Button, Skeleton, Table, type TableColumnsType } from "antd";
import { useState } from "react";
import { useDepartmentNames } from "../api/access";
import { call } from "../api/client";
import { type Silence, useHidden, useRereadSilences, useSilences } from "../api/silences";
import { useSubscriptions } from "../api/subscriptions";
import { useTexts } from "../i18n";
import { useNow } from "../parts/Cases";
import { Nothing, Refusal, Trouble } from "../parts/Trouble";
import { HiddenEvents } from "./HiddenEvents";
import { NewSilence } from "./NewSilence";
import { EndSilence, HeldBack, SilenceSpan, SilenceTag } from "./SilenceParts";
import { stateOf } from "./silences";
import "./silences.css";

/** What is not told for a while, and what that hides. */
export function SilencesRoom() {
  const { t } = useTexts();
  const { data, error, isPending, refetch } = useSilences();
  const [making, setMaking] = useState(false);
  const reread = useRereadSilences();
  const ending = useMutation({
    mutationFn: (number: number) => call("delete", "/api/silences/{number}", { path: { number } }),
    onSettled: reread,
  });
  const columns = useColumns(ending.mutate, ending.isPending);
  const now = useNow(1_000);
  const running = (data ?? []).filter((one) => one.from_utc <= now && now < one.until_utc);
  return (
    <div className="page">
      <div className="head">
        <h1>{t("silences.title")}</h1>
        <span className="dim number">{data ? t("silences.running", { n: running.length }) : null}</span>
        <Button type="primary" className="push" icon={<PlusOutlined />} onClick={() => setMaking(true)}>
          {t("silences.new")}
        </Button>
      </div>
      <Alert
        type="info"
        showIcon
        title={t("silences.about")}
        description={t("silences.not_acknowledged")}
        style={{ marginBottom: 12 }}
      />
      {ending.error ? <Refusal error={ending.error} /> : null}
      <section className="panel">
        {isPending ? <Skeleton active /> : null}
        {error && !data ? <Trouble error={error} retry={() => void refetch()} /> : null}
        {data ? (
          <Table<Silence>
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
      {making ? <NewSilence close={() => setMaking(false)} /> : null}
    </div>
  );
}

/** What one of them holds back, as far as one may see it. */
function Held({ of }: { of: Silence }) {
  const { t } = useTexts();
  const { data, error, isPending, refetch } = useHidden(of.id, of.hidden ?? 0);
  if (isPending) return <Skeleton active paragraph={{ rows: 2 }} />;
  if (error) return <Trouble error={error} retry={() => void refetch()} />;
  return data.count === 0 ? <p className="dim">{t("silences.hides.nothing")}</p> : <HiddenEvents of={data} />;
}

function useColumns(end: (number: number) => void, busy: boolean): TableColumnsType<Silence> {
  const { t } = useTexts();
  const names = useDepartmentNames();
  const subscriptions = useSubscriptions().data ?? [];
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
          {one.note || <span className="dim">{t("silences.note.none")}</span>}
          <div className="dim">{t("silences.by", { who: one.who })}</div>
        </>
      ),
    },
    { title: t("silences.what"), render: (_, one) => <What of={one} /> },
    {
      title: t("subs.department"),
      render: (_, one) => (
        <>
          {names[one.department] ?? one.department}
          <div className="dim">
            {one.subscription == null
              ? t("silences.all_subscriptions")
              : (subscriptions.find(({ id }) => id === one.subscription)?.name ?? `#${one.subscription}`)}
          </div>
        </>
      ),
    },
    {
      title: t("silences.span"),
      render: (_, one) => <SilenceSpan of={one} now={now} />,
    },
    {
      title: t("silences.hidden"),
      width: 110,
      render: (_, one) => <HeldBack count={one.hidden ?? 0} text="silences.deliveries" />,
    },
    {
      width: 110,
      render: (_, one) => (
        <EndSilence
          of={one}
          now={now}
          sure={stateOf(one, now) === "coming" ? "silences.drop.sure" : "silences.end.sure"}
          text={stateOf(one, now) === "coming" ? "silences.drop" : "silences.end"}
          busy={busy}
          end={end}
        />
      ),
    },
  ];
}

/** Which events it is about; what is not named is all. */
function What({ of }: { of: Silence }) {
  const { t, word } = useTexts();
  const { types = [], cameras = [], zones = [], grids = [] } = of.wanted ?? {};
  const parts = [
    types.map((type) => word("event", type)).join("、"),
    cameras.length > 0 ? `${t("grants.cameras")} ${cameras.join("、")}` : "",
    zones.length > 0 ? `${t("grants.zones")} ${zones.join("、")}` : "",
    grids.length > 0 ? `${t("subs.grids")} ${grids.join("、")}` : "",
  ].filter(Boolean);
  return <span>{parts.join(" · ") || t("silences.everything")}</span>;
}
