import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Alert, Button, Skeleton, Table, Tag } from "antd";
import { Link, useParams } from "react-router";
import { call } from "../api/client";
import {
  type Between,
  type LabelItem,
  type LabelProject,
  useAgreement,
  useLabelItems,
  useLabelProject,
} from "../api/labelling";
import { type TextKey, useTexts } from "../i18n";
import { Nothing, Refusal, Trouble } from "../parts/Trouble";
import { formatTime } from "../parts/time";
import { Collection } from "./Collection";
import { Counts } from "./LabellingRoom";
import "../labelling/labelling.css";

const FORMATS = ["coco", "cvat", "yolo"] as const;
const CLIP_FORMATS = ["cvat-video"] as const; // a suite comes with its clips: by command

/** One project: its pictures, how people agree, and what can be made of it. */
export function LabelProjectRoom() {
  const { t } = useTexts();
  const number = Number(useParams().id);
  const { data: project, error, refetch } = useLabelProject(number);
  if (error && !project) return <Trouble error={error} retry={() => void refetch()} />;
  if (!project) return <Skeleton active />;
  return (
    <div className="page">
      <div className="head">
        <h1>{project.name}</h1>
        <Counts counts={project.counts} />
        <span className="push">
          <Link to={`/labelling/${number}/label`}>
            <Button type="primary">{t("label.work.label")}</Button>
          </Link>{" "}
          <Link to={`/labelling/${number}/review`}>
            <Button>{t("label.work.review")}</Button>
          </Link>
        </span>
      </div>
      <Making project={project} />
      <Collection project={project} />
      <Agreement number={number} />
      <Items project={project} />
    </div>
  );
}

/** Pictures in, versions and labels out. */
function Making({ project }: { project: LabelProject }) {
  const { t } = useTexts();
  const queries = useQueryClient();
  const path = { number: project.id };
  const ofClips = project.kinds.some((kind) => kind === "track" || kind === "interval");
  const onSuccess = () => void queries.invalidateQueries({ queryKey: ["labelling"] });
  const taking = useMutation({
    mutationFn: () => allCandidates(project.id, ofClips ? FEW : MANY),
    onSuccess,
  });
  const freezing = useMutation({
    mutationFn: () =>
      call("post", "/api/labelling/projects/{number}/freeze", { path, body: { note: "", seed: 1 } }),
  });
  const taken = taking.data;
  const frozen = freezing.data;
  const emptySides = frozen?.empty.map((side) => t(`datasets.${side}`)).join("、") ?? "";
  return (
    <section className="panel">
      <Button loading={taking.isPending} onClick={() => taking.mutate()}>
        {t("label.candidates")}
      </Button>{" "}
      {project.manages ? (
        <Button loading={freezing.isPending} onClick={() => freezing.mutate()}>
          {t("label.freeze")}
        </Button>
      ) : null}{" "}
      {t("label.export")}：
      {[...FORMATS, ...(ofClips ? CLIP_FORMATS : [])].map((form) => (
        <a
          key={form}
          href={`/api/labelling/projects/${project.id}/export?format=${form}`}
          style={{ marginRight: 10 }}
        >
          {form.toUpperCase()}
        </a>
      ))}
      {taking.error ? <Refusal error={taking.error} /> : null}
      {freezing.error ? <Refusal error={freezing.error} /> : null}
      {taken ? <Alert style={{ marginTop: 10 }} title={t("label.candidates.done", taken)} /> : null}
      {frozen ? (
        <Alert
          data-testid="frozen"
          style={{ marginTop: 10 }}
          type="success"
          title={t(frozen.unchanged ? "label.frozen.unchanged" : "label.freeze.done", {
            digest: frozen.digest.slice(0, 12),
            n: frozen.items,
            left: frozen.left_out.length,
          })}
          description={[
            ...(frozen.empty.length > 0 ? [t("label.frozen.empty", { sides: emptySides })] : []),
            ...frozen.left_out.map((one) => `${one.name}: ${one.why}`),
          ].map((line) => <div key={line}>{line}</div>)}
        />
      ) : null}
    </section>
  );
}

const MANY = 100;
const FEW = 10; // each clip is opened

/** Page by page, until no verdict is left. */
async function allCandidates(
  number: number,
  limit: number,
): Promise<{ added: number; known: number; without: number }> {
  const sum = { added: 0, known: 0, without: 0 };
  for (let after: number | null = 0; after !== null; ) {
    const body: { after: number; limit: number } = { after, limit };
    const page = await call("post", "/api/labelling/projects/{number}/candidates", {
      path: { number },
      body,
    });
    sum.added += page.added;
    sum.known += page.known;
    sum.without += page.without;
    after = page.next_after;
  }
  return sum;
}

function Agreement({ number }: { number: number }) {
  const { t, word } = useTexts();
  const { data, error, refetch } = useAgreement(number);
  const share = (value: number | null) => (value === null ? "–" : value.toFixed(2));
  return (
    <section className="panel" data-testid="agreement">
      <h2>{t("label.agreement")}</h2>
      {error && !data ? <Trouble error={error} retry={() => void refetch()} /> : null}
      {data?.length === 0 ? <p className="dim">{t("label.agreement.empty")}</p> : null}
      {data?.length ? (
        <Table<Between>
          size="small"
          pagination={false}
          rowKey={(one) => `${one.of} ${one.one} ${one.other}`}
          dataSource={data}
          columns={[
            { title: t("label.of"), render: (_, one) => word("label.of", one.of) },
            { title: t("label.who"), render: (_, one) => [one.one, one.other].filter(Boolean).join(" / ") },
            { title: t("label.pictures"), dataIndex: "pictures" },
            { title: "IoU", render: (_, one) => share(one.iou) },
            { title: "F1", render: (_, one) => share(one.f1) },
            { title: "kappa", render: (_, one) => share(one.kappa) },
            { title: t("label.tags"), render: (_, one) => share(one.tag_kappa) },
          ]}
        />
      ) : null}
    </section>
  );
}

function Items({ project }: { project: LabelProject }) {
  const { t } = useTexts();
  const { data, error, isPending, refetch } = useLabelItems(project.id);
  return (
    <section className="panel">
      <h2>{t("label.items")}</h2>
      {isPending ? <Skeleton active /> : null}
      {error && !data ? <Trouble error={error} retry={() => void refetch()} /> : null}
      {data?.length === 0 ? <Nothing title={t("label.items.empty")} text={t("label.empty.how")} /> : null}
      <div className="label-grid">
        {data?.map((one) => (
          <Item key={one.id} item={one} manages={project.manages} />
        ))}
      </div>
    </section>
  );
}

function Item({ item, manages }: { item: LabelItem; manages: boolean }) {
  const { t } = useTexts();
  const queries = useQueryClient();
  const hiding = useMutation({
    mutationFn: () =>
      call("put", "/api/labelling/items/{number}/hidden", {
        path: { number: item.id },
        body: { hidden: !item.hidden },
      }),
    onSuccess: () => void queries.invalidateQueries({ queryKey: ["labelling"] }),
  });
  return (
    <figure>
      <Shown item={item} />
      <figcaption>
        {item.name} <Tag>{t(`label.state.${item.state}` as TextKey)}</Tag>
        {item.hidden ? <Tag color="gold">{t("label.hidden")}</Tag> : null}
        {manages && item.state === "accepted" ? (
          <Button type="link" size="small" loading={hiding.isPending} onClick={() => hiding.mutate()}>
            {t(item.hidden ? "label.unhide" : "label.hide")}
          </Button>
        ) : null}
        {hiding.error ? <Refusal error={hiding.error} /> : null}
      </figcaption>
    </figure>
  );
}

/** A picture, or what a clip is; or since when it is gone. */
function Shown({ item }: { item: LabelItem }) {
  const { t, language } = useTexts();
  if (item.deleted_utc !== null)
    return <p className="dim">{t("label.gone", { at: formatTime(item.deleted_utc, language) })}</p>;
  if (item.clip)
    // To show it, it would be masked: that takes a while for each.
    return (
      <div className="film">
        ▶ {t("label.clip.seconds", { s: Math.round(item.clip.duration_s * 10) / 10 })}
      </div>
    );
  return <img src={item.picture} alt={item.name} loading="lazy" />;
}
