import { Button, Skeleton, Table, Tag } from "antd";
import { useState } from "react";
import type { LabelProject } from "../api/labelling";
import { REASONS, type RecallEstimate, type Collection as Told, useCollection } from "../api/labelling";
import { type TextKey, useTexts } from "../i18n";
import { Trouble } from "../parts/Trouble";
import { CollectionForm } from "./CollectionForm";

/** What a project collects from running streams, what came of it, and what its random moments say of recall. */
export function Collection({ project }: { project: LabelProject }) {
  const { t } = useTexts();
  const { data, error, refetch } = useCollection(project.id);
  const [setting, setSetting] = useState(false);
  return (
    <section className="panel" data-testid="collection">
      <h2>{t("collect.title")}</h2>
      {error && !data ? <Trouble error={error} retry={() => void refetch()} /> : null}
      {data ? <Policy told={data} /> : error ? null : <Skeleton active />}
      {data && project.manages ? (
        <Button size="small" onClick={() => setSetting(true)}>
          {t("collect.set")}
        </Button>
      ) : null}
      {data?.collected.total ? <Counts told={data} /> : null}
      {data?.recall.length ? <Recall recall={data.recall} /> : null}
      {data && setting ? (
        <CollectionForm number={project.id} policy={data.policy} close={() => setSetting(false)} />
      ) : null}
    </section>
  );
}

function Policy({ told }: { told: Told }) {
  const { t } = useTexts();
  const policy = told.policy;
  if (!policy) return <p className="dim">{t("collect.none")}</p>;
  return (
    <p>
      <Tag color={policy.active ? "green" : "default"}>{t(policy.active ? "collect.on" : "collect.off")}</Tag>
      {t("collect.policy", { cameras: told.cameras, n: policy.pictures, days: policy.days })}{" "}
      {REASONS.map((reason) => (
        <Tag key={reason}>
          {t(`collect.reason.${reason}` as TextKey)} {told.quotas[reason] ?? 0}
        </Tag>
      ))}
      <span className="dim">{t("collect.by", { who: told.set_by })}</span>
    </p>
  );
}

function Counts({ told }: { told: Told }) {
  const { t, word } = useTexts();
  const { total, reasons, hours, weather, gone, cameras } = told.collected;
  const most = Math.max(...hours, 1);
  const busiest = Object.entries(cameras)
    .sort(([, one], [, other]) => other - one)
    .slice(0, 8);
  return (
    <>
      <p>
        {t("collect.total", { n: total, gone })}{" "}
        {REASONS.map((reason) => (
          <Tag key={reason}>
            {t(`collect.reason.${reason}` as TextKey)} {reasons[reason] ?? 0}
          </Tag>
        ))}
      </p>
      {Object.keys(weather).length ? (
        <p>
          {t("collect.weather")}{" "}
          {Object.entries(weather).map(([kind, count]) => (
            <Tag key={kind}>
              {word("weather", kind)} {count}
            </Tag>
          ))}
        </p>
      ) : null}
      <p className="dim">{busiest.map(([camera, count]) => `${camera} ${count}`).join(" · ")}</p>
      <ol className="collect-hours" aria-label={t("collect.hours")}>
        {hours.map((count, hour) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: hours of the day never move
          <li key={hour} title={t("collect.hour", { hour, n: count })}>
            <span style={{ height: `${(100 * count) / most}%` }} />
            <small>{hour % 6 === 0 ? hour : ""}</small>
          </li>
        ))}
      </ol>
    </>
  );
}

function Recall({ recall }: { recall: RecallEstimate[] }) {
  const { t, word } = useTexts();
  const share = (value: number) => (100 * value).toFixed(1);
  return (
    <div data-testid="recall">
      <h3>{t("collect.recall")}</h3>
      <p className="dim">{t("collect.recall.about")}</p>
      <Table<RecallEstimate>
        size="small"
        pagination={false}
        rowKey="type"
        dataSource={recall}
        columns={[
          { title: t("collect.type"), render: (_, one) => word("event", one.type) },
          {
            title: t("collect.recall.value"),
            render: (_, { recall, low, high, why }) =>
              recall === null || low === null || high === null
                ? t(`collect.why.${why}` as TextKey)
                : t("collect.recall.interval", {
                    value: share(recall),
                    low: share(low),
                    high: share(high),
                  }),
          },
          { title: t("collect.missed"), render: (_, one) => `${one.missed} / ${one.moments}` },
          { title: t("collect.real"), render: (_, one) => `${one.real} / ${one.judged}` },
          { title: t("collect.watched"), render: (_, one) => one.watched_h.toFixed(0) },
        ]}
      />
    </div>
  );
}
