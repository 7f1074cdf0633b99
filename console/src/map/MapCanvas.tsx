import { AimOutlined, MinusOutlined, PlusOutlined } from "@ant-design/icons";
import { Button } from "antd";
import { type RefObject, useEffect, useRef, useState } from "react";
import { useTexts } from "../i18n";
import { useSize } from "../parts/useSize";
import { listen } from "./gestures";
import type { Atlas, Group } from "./groups";
import type { Grid } from "./places";
import { Surface } from "./surface";
import type { View } from "./view";

interface Props {
  surface: RefObject<Surface | null>;
  atlas: Atlas;
  grids: readonly Grid[];
  tiles: { url: string; credit: string } | null;
  chosen: string | null;
  pick: (group: Group | null) => void;
  moved: (view: View) => void;
  fit: () => void;
}

/** The map itself: one canvas, and the buttons upon it. */
export function MapCanvas({ surface, atlas, grids, tiles, chosen, pick, moved, fit }: Props) {
  const { t } = useTexts();
  const frame = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [missing, setMissing] = useState(0);
  const size = useSize(frame);
  const newest = useRef({ pick, moved, fit });
  newest.current = { pick, moved, fit };

  useEffect(() => {
    if (!canvas.current) return;
    const made = new Surface(canvas.current, (view) => newest.current.moved(view), setMissing);
    surface.current = made;
    const stop = listen(made, {
      pick: (at, reach) => newest.current.pick(made.groupAt(at, reach)),
      fit: () => newest.current.fit(),
      close: () => newest.current.pick(null),
    });
    return () => {
      stop();
      made.dispose();
      surface.current = null;
    };
  }, [surface]);

  useEffect(() => surface.current?.resize(size, window.devicePixelRatio || 1), [surface, size]);
  useEffect(() => surface.current?.show(atlas, grids, t("map.north")), [surface, atlas, grids, t]);
  useEffect(() => surface.current?.choose(chosen), [surface, chosen]);
  const url = tiles?.url ?? null;
  useEffect(() => surface.current?.ground(url), [surface, url]);

  return (
    <div className="map-frame" ref={frame}>
      {/* biome-ignore lint/a11y/noInteractiveElementToNoninteractiveRole: keys move it, as they do an application */}
      <canvas
        ref={canvas}
        className="map-canvas"
        data-testid="map"
        tabIndex={0}
        role="application"
        aria-label={t("map.canvas")}
        aria-description={t("map.keys")}
      />
      <div className="map-buttons">
        <Button
          icon={<PlusOutlined />}
          aria-label={t("map.nearer")}
          onClick={() => surface.current?.zoom(1)}
        />
        <Button
          icon={<MinusOutlined />}
          aria-label={t("map.farther")}
          onClick={() => surface.current?.zoom(-1)}
        />
        <Button icon={<AimOutlined />} aria-label={t("map.fit")} title={t("map.fit")} onClick={fit} />
      </div>
      <div className="map-credit dim">
        {missing > 0 ? <span className="map-missing">{t("map.tiles.missing", { n: missing })}</span> : null}
        {tiles?.credit}
      </div>
    </div>
  );
}
