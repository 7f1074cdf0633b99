import { Button } from "antd";
import type { LabelItem, LabelProject } from "../api/labelling";
import { type TextKey, useTexts } from "../i18n";
import { colourOf } from "./colours";
import type { Act } from "./keys";
import type { Sheet } from "./sheet";

interface Props {
  sheet: Sheet;
  project: LabelProject;
  suggested: LabelItem["suggested"];
  act: (what: Act) => void;
  /** whose labels are reviewed */
  by: string | undefined;
  /** what Enter says */
  sends: TextKey;
  ready: boolean;
}

const KEYS = [
  "class",
  "tool",
  "arrows",
  "space",
  "enter",
  "tab",
  "delete",
  "undo",
  "take",
  "skip",
  "reject",
] as const;

/** Classes, tools and labels, each with its key; what models suggest stands apart. */
export function SidePanel({ sheet, project, suggested, act, by, sends, ready }: Props) {
  const { t } = useTexts();
  const pressed = (what: Act) => (event: { currentTarget: HTMLElement }) => {
    event.currentTarget.blur(); // the next Enter is for the page again
    act(what);
  };
  return (
    <section className="panel says" aria-label={t("label.keys")}>
      {by ? <p>{t("label.by", { who: by })}</p> : null}
      <div className="label-classes">
        {project.classes.map((word, at) => (
          <Button
            key={word}
            size="small"
            type={word === sheet.word ? "primary" : "default"}
            onClick={pressed({ do: "class", at })}
          >
            {at < 9 ? <kbd>{at + 1}</kbd> : null}
            <span style={{ color: word === sheet.word ? undefined : colourOf(word, project.classes) }}>
              {word}
            </span>
          </Button>
        ))}
      </div>
      <div className="label-classes">
        {project.kinds.map((kind) => (
          <Button
            key={kind}
            size="small"
            type={kind === sheet.tool ? "primary" : "default"}
            onClick={pressed({ do: "tool", kind })}
          >
            <kbd>{kind.slice(0, 1).toUpperCase()}</kbd>
            {t(`label.kind.${kind}`)}
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
            style={{ borderColor: colourOf(one.label, project.classes) }}
          >
            {one.label} <span className="dim">{t(`label.kind.${one.kind}`)}</span>
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
                {one.label.label} <span className="dim">{one.by}</span>
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
        {KEYS.map((key) => (
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
