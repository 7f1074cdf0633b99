import { Tag } from "antd";
import { useState } from "react";
import type { ChangedItem } from "../api/datasets";
import { useTexts } from "../i18n";
import { colourOf } from "../labelling/colours";
import { Shape } from "../labelling/Shape";

/** A picture with its labels as they are now; those that it had before, where they were others, are dashed and white. */
export function ChangedPicture({ item, classes }: { item: ChangedItem; classes: string[] }) {
  const { t, word } = useTexts();
  const [lost, setLost] = useState(false);
  const now = item.after ?? item.before ?? [];
  const before = item.fields.includes("labels") ? (item.before ?? []) : [];
  const others = item.fields.filter((field) => field !== "labels");
  return (
    <figure>
      {item.picture && !lost ? (
        <div className="changed-picture" style={{ aspectRatio: `${item.width} / ${item.height}` }}>
          <img src={item.picture} alt={item.name} loading="lazy" onError={() => setLost(true)} />
          <svg viewBox="0 0 1 1" preserveAspectRatio="none" aria-hidden="true">
            {before.map((label, n) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: they never change their order
              <Shape key={n} label={label} className="shape before" />
            ))}
            {now.map((label, n) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: they never change their order
              <Shape key={n} label={label} className="shape" colour={colourOf(label.label, classes)} />
            ))}
          </svg>
        </div>
      ) : (
        <div className="thumb">{t("label.picture.lost")}</div>
      )}
      <figcaption>
        {item.name} {item.side ? <Tag>{t(`datasets.${item.side}`)}</Tag> : null}
        {[...new Set(now.map((label) => label.label))].map((label) => (
          <Tag key={label} color={colourOf(label, classes)}>
            {label} {now.filter((one) => one.label === label).length}
          </Tag>
        ))}
        {others.map((field) => (
          <Tag key={field} color="gold">
            {word("datasets.field", field)}
          </Tag>
        ))}
      </figcaption>
    </figure>
  );
}
