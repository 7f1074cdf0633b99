import { Button } from "antd";
import { type MouseEvent, useState } from "react";
import { useTexts } from "../i18n";

interface Props {
  src: string;
  clip: boolean;
  corners: [number, number][];
  /** null: the algorithm watches the whole picture. */
  change: ((corners: [number, number][]) => void) | null;
}

/** The picture or clip that is to be tried, with the zone that is drawn on it: each click is a corner. */
export function GalleryGround({ src, clip, corners, change }: Props) {
  const { t } = useTexts();
  const [shown, setShown] = useState(true); // a browser shows few of the formats that can be tried
  const add = (event: MouseEvent<HTMLButtonElement>) => {
    if (!change) return;
    const area = event.currentTarget.getBoundingClientRect();
    const x = (event.clientX - area.left) / area.width;
    const y = (event.clientY - area.top) / area.height;
    change([...corners, [Math.min(Math.max(x, 0), 1), Math.min(Math.max(y, 0), 1)]]);
  };
  if (!shown) return <p className="dim">{t("gallery.not.shown")}</p>;
  return (
    <div className="gallery-ground">
      <button type="button" className="gallery-draw" aria-label={t("gallery.draw")} onClick={add}>
        {clip ? (
          <video src={src} muted preload="metadata" onError={() => setShown(false)} />
        ) : (
          <img src={src} alt={t("gallery.yours")} onError={() => setShown(false)} />
        )}
        <svg viewBox="0 0 1 1" preserveAspectRatio="none" aria-hidden="true">
          {corners.length >= 2 ? <polygon points={corners.map(([x, y]) => `${x},${y}`).join(" ")} /> : null}
        </svg>
      </button>
      {change ? (
        <div className="dim">
          {t("gallery.draw.how")}{" "}
          <Button size="small" disabled={corners.length === 0} onClick={() => change([])}>
            {t("gallery.draw.clear")}
          </Button>
        </div>
      ) : null}
    </div>
  );
}
