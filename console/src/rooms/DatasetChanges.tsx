import { Select, Skeleton } from "antd";
import { useState } from "react";
import {
  type ChangeKind,
  type DatasetDifference,
  type DatasetVersion,
  useChanges,
  useDatasets,
  useDifference,
} from "../api/datasets";
import { useTexts } from "../i18n";
import { More } from "../parts/More";
import { Trouble } from "../parts/Trouble";
import { formatTime } from "../parts/time";
import { ChangedPicture } from "./ChangedPicture";
import { counted, grown } from "./datasets";
import "./datasets.css";

const KINDS: ChangeKind[] = ["added", "removed", "relabelled", "otherwise"];

/** What changed since the parent, or any other version: in words, then picture by picture. */
export function DatasetChanges({ version, classes }: { version: DatasetVersion; classes: string[] }) {
  const { t, language } = useTexts();
  const [from, setFrom] = useState(version.parent);
  const others = (useDatasets().data ?? []).filter((one) => one.digest !== version.digest);
  if (others.length === 0) return null;
  return (
    <section className="panel" data-testid="difference">
      <h2>{t("datasets.difference")}</h2>
      <Select
        aria-label={t("datasets.compare")}
        placeholder={t("datasets.compare")}
        style={{ minWidth: 360, maxWidth: "100%" }}
        value={from}
        onChange={setFrom}
        options={others.map((one) => ({
          value: one.digest,
          label: `${one.name} ${one.digest.slice(0, 12)} · ${formatTime(one.created_utc, language)}`,
        }))}
      />
      {from ? <Difference from={from} digest={version.digest} classes={classes} /> : null}
    </section>
  );
}

function Difference({ from, digest, classes }: { from: string; digest: string; classes: string[] }) {
  const { t } = useTexts();
  const { data, error, isPending, refetch } = useDifference(from, digest);
  const words = useWords();
  if (error && !data) return <Trouble error={error} retry={() => void refetch()} />;
  if (isPending) return <Skeleton active />;
  const told = words(data);
  return (
    <>
      <ul data-testid="difference-words">
        {told.length === 0 ? <li>{t("datasets.same")}</li> : told.map((line) => <li key={line}>{line}</li>)}
      </ul>
      {KINDS.filter((kind) => data[kind].items > 0).map((kind) => (
        <Changes key={kind} from={from} digest={digest} kind={kind} classes={classes} />
      ))}
    </>
  );
}

/** A difference as sentences. */
function useWords(): (found: DatasetDifference) => string[] {
  const { t, word } = useTexts();
  return (found) => {
    const told = [];
    for (const kind of ["added", "removed"] as const)
      if (found[kind].items > 0)
        told.push(t(`datasets.words.${kind}`, { n: found[kind].items, by: counted(found[kind].by) }));
    if (found.relabelled.items > 0) {
      const by = [
        grown(found.relabelled.by),
        found.moved ? t("datasets.words.moved", { n: found.moved }) : "",
      ];
      told.push(
        t("datasets.words.relabelled", { n: found.relabelled.items, by: by.filter(Boolean).join("，") }),
      );
    }
    if (found.otherwise.items > 0) {
      const by = counted(found.otherwise.by, (id) => word("datasets.field", id));
      told.push(t("datasets.words.otherwise", { n: found.otherwise.items, by }));
    }
    for (const kind of ["classes_added", "classes_removed"] as const)
      if (found[kind].length > 0) told.push(t(`datasets.words.${kind}`, { names: found[kind].join("、") }));
    for (const { what, how } of found.head) told.push(`${word("datasets.head", what)}：${how}`);
    return told;
  };
}

interface ChangesProps {
  from: string;
  digest: string;
  kind: ChangeKind;
  classes: string[];
}

function Changes({ from, digest, kind, classes }: ChangesProps) {
  const { t } = useTexts();
  const { data, error, isPending, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useChanges(
    from,
    digest,
    kind,
  );
  const withheld = (data?.pages ?? []).reduce((sum, page) => sum + page.withheld, 0);
  return (
    <div data-testid={`changes-${kind}`}>
      <h2>{t(`datasets.kind.${kind}`)}</h2>
      {isPending ? <Skeleton active /> : null}
      {error && !data ? <Trouble error={error} retry={() => void refetch()} /> : null}
      <div className="changed-pictures">
        {data?.pages
          .flatMap((page) => page.items)
          .map((item) => (
            <ChangedPicture key={item.content} item={item} classes={classes} />
          ))}
      </div>
      {withheld > 0 ? <p className="dim">{t("datasets.withheld", { n: withheld })}</p> : null}
      {hasNextPage ? <More loading={isFetchingNextPage} load={() => void fetchNextPage()} /> : null}
    </div>
  );
}
