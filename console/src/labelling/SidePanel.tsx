import { Button } from "antd";
import type { Label, LabelItem } from "../api/labelling";
import { type TextKey, useTexts } from "../i18n";
import { colourOf } from "./colours";
import type { Sheet } from "./sheet";

/** What pictures and clips have in common. */
type Common = { do: "class"; at: number } | { do: "suggested" } | { do: "enter" } | { do: "reject" };

/** A key that is a button too. */
export interface Tool<A> {
  key: string;
  text: TextKey;
  what: A;
  on?: boolean;
  off?: boolean;
}

interface Props<A> {
  sheet: Sheet;
  classes: readonly string[];
  suggested: LabelItem["suggested"];
  tools: readonly Tool<A>[];
  /** which of the texts `label.key…` are shown */
  keys: readonly KeyName[];
  act: (what: A | Common) => void;
  /** whose labels are reviewed */
  by: string | undefined;
  /** what Enter says */
  sends: TextKey;
  ready: boolean;
  /** more of a label, in words */
  more?: (label: Label) => string;
  /** a label was clicked */
  select?: (number: number) => void;
}

type KeyName = TextKey extends infer T ? (T extends `label.key.${infer N}.is` ? N : never) : never;

/** Classes, tools and labels, each with its key; what models suggest stands apart. */
export function SidePanel<A>(props: Props<A>) {
  const { sheet, classes, suggested, tools, keys, act, by, sends, ready, more, select } = props;
  const { t } = useTexts();
  const pressed = (what: A | Common) => (event: { currentTarget: HTMLElement }) => {
    event.currentTarget.blur(); // the next Enter is for the page again
    act(what);
  };
  return (
    <section className="panel says" aria-label={t("label.keys")}>
      {by ? <p>{t("label.by", { who: by })}</p> : null}
      <div className="label-classes">
        {classes.map((word, at) => (
          <Button
            key={word}
            size="small"
            type={word === sheet.word ? "primary" : "default"}
            onClick={pressed({ do: "class", at })}
          >
            {at < 9 ? <kbd>{at + 1}</kbd> : null}
            <span style={{ color: word === sheet.word ? undefined : colourOf(word, classes) }}>{word}</span>
          </Button>
        ))}
      </div>
      <div className="label-classes">
        {tools.map((tool) => (
          <Button
            key={tool.key}
            size="small"
            type={tool.on ? "primary" : "default"}
            disabled={tool.off}
            onClick={pressed(tool.what)}
          >
            <kbd>{tool.key}</kbd>
            {t(tool.text)}
          </Button>
        ))}
      </div>
      <h2>{t("label.labels", { n: sheet.labels.length })}</h2>
      <ul className="label-list" data-testid="labels">
        {sheet.labels.map((one, n) => (
          <li
            // biome-ignore lint/suspicious/noArrayIndexKey: a label is its place in the list
            key={n}
            className={n === sheet.selected ? "selected" : ""}
            style={{ borderColor: colourOf(one.label, classes) }}
          >
            <Named label={one} more={more} select={select ? () => select(n) : undefined} />
          </li>
        ))}
      </ul>
      {suggested.length > 0 ? (
        <>
          <h2>{t("label.suggested", { n: suggested.length })}</h2>
          <ul className="label-list" data-testid="suggested">
            {suggested.map((one, n) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: they never change their order
              <li key={n}>
                {one.label.label}
                {more ? <span className="dim number">{more(one.label)}</span> : null}
                <span className="dim">{one.by}</span>
                {one.confidence == null ? null : (
                  <span className="dim number">{Math.round(100 * one.confidence)} %</span>
                )}
              </li>
            ))}
          </ul>
          <Button size="small" onClick={pressed({ do: "suggested" })}>
            <kbd>G</kbd>
            {t("label.take")}
          </Button>
        </>
      ) : null}
      <div className="says-main" style={{ marginTop: 12 }}>
        <Button type="primary" disabled={!ready} onClick={pressed({ do: "enter" })}>
          <kbd>Enter</kbd>
          {t(sends)}
        </Button>
        {by ? (
          <Button danger onClick={pressed({ do: "reject" })}>
            <kbd>R</kbd>
            {t("label.reject")}
          </Button>
        ) : null}
      </div>
      <dl className="keys">
        {keys.map((key) => (
          <div key={key}>
            <dt>
              <kbd>{t(`label.key.${key}`)}</kbd>
            </dt>
            <dd>{t(`label.key.${key}.is`)}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function Named({
  label,
  more,
  select,
}: { label: Label } & Pick<Props<never>, "more"> & { select?: () => void }) {
  const { t } = useTexts();
  const words = (
    <>
      {label.label} <span className="dim">{t(`label.kind.${label.kind}`)}</span>
      {more ? <span className="dim number">{more(label)}</span> : null}
    </>
  );
  if (!select) return words;
  return (
    <button
      type="button"
      className="label-pick"
      onClick={(event) => {
        event.currentTarget.blur();
        select();
      }}
    >
      {words}
    </button>
  );
}
