import {
  FullscreenOutlined,
  LeftOutlined,
  MenuFoldOutlined,
  MenuUnfoldOutlined,
  RightOutlined,
} from "@ant-design/icons";
import { Button, Segmented, Select, Skeleton, Space, Tooltip } from "antd";
import { useEffect, useRef, useState } from "react";
import { Link } from "react-router";
import type { CameraSummary } from "../api/client";
import { useCameras, useTallies } from "../api/queries";
import { useTexts } from "../i18n";
import { LiveCanvas } from "../live/LiveCanvas";
import { CameraSelect } from "../parts/CameraSelect";
import { CameraState } from "../parts/State";
import { Nothing, Trouble } from "../parts/Trouble";
import { useSize } from "../parts/useSize";
import { useStored } from "../parts/useStored";
import { bestGrid } from "./grid";
import { LatestEvents, useOpenAlarms } from "./LatestEvents";

const GAP = 6;
const LAYOUTS = [1, 4, 9, 16, 25];
/** pictures a second: fewer per tile where there are many */
const FPS: Record<number, number> = { 1: 15, 4: 10, 9: 8, 16: 5, 25: 4 };

export function WallRoom() {
  const { t } = useTexts();
  const [layout, setLayout] = useStored("wall.layout", 9);
  const [latest, setLatest] = useStored("wall.latest", true);
  const [chosen, setChosen] = useStored<string[]>("wall.cameras", []);
  const [department, setDepartment] = useState<string | null>(null);
  const [page, setPage] = useState(0);
  const body = useRef<HTMLDivElement>(null);
  const alarms = useOpenAlarms();

  const { data, error, refetch, isPending } = useCameras({
    id: chosen,
    department: department ? [department] : [],
    page: page + 1,
    limit: layout,
  });
  const tallies = useTallies().data;
  const pages = Math.max(1, Math.ceil((data?.total ?? 0) / layout));
  const now = Math.min(page, pages - 1);
  const tiles = data?.cameras ?? [];
  usePageKeys(setPage, pages);
  // Filters may leave fewer pages than the one that was open.
  useEffect(() => {
    if (data && page > now) setPage(now);
  }, [data, page, now]);
  return (
    <div className="wall">
      <div className="head">
        <h1>{t("wall.title")}</h1>
        <Select
          value={department}
          onChange={(value) => {
            setDepartment(value);
            setPage(0);
          }}
          style={{ minWidth: 150 }}
          aria-label={t("events.department")}
          options={[
            { value: null, label: t("wall.all") },
            ...(tallies?.departments ?? []).map((one) => ({ value: one.id, label: one.name })),
          ]}
        />
        <CameraSelect
          value={chosen}
          onChange={(ids) => {
            setChosen(ids);
            setPage(0);
          }}
          placeholder={t("wall.choose")}
          width={220}
          most={100}
        />
        <Segmented
          aria-label={t("wall.layout")}
          value={layout}
          onChange={(value) => {
            setLayout(value);
            setPage(0);
          }}
          options={LAYOUTS.map((n) => ({
            value: n,
            label: <span title={t("wall.layout.n", { n })}>{n}</span>,
          }))}
        />
        {pages > 1 ? (
          <Space>
            <Button
              icon={<LeftOutlined />}
              aria-label={t("wall.previous")}
              disabled={now === 0}
              onClick={() => setPage(now - 1)}
            />
            <span className="dim number">{t("wall.page", { page: now + 1, pages })}</span>
            <Button
              icon={<RightOutlined />}
              aria-label={t("wall.next")}
              disabled={now >= pages - 1}
              onClick={() => setPage(now + 1)}
            />
          </Space>
        ) : null}
        <Space className="push">
          <Tooltip title={t("wall.fullscreen")}>
            <Button
              icon={<FullscreenOutlined />}
              aria-label={t("wall.fullscreen")}
              onClick={() => void body.current?.requestFullscreen()}
            />
          </Tooltip>
          <Tooltip title={t(latest ? "wall.latest.hide" : "wall.latest.show")}>
            <Button
              icon={latest ? <MenuUnfoldOutlined /> : <MenuFoldOutlined />}
              aria-label={t(latest ? "wall.latest.hide" : "wall.latest.show")}
              aria-expanded={latest}
              onClick={() => setLatest(!latest)}
            />
          </Tooltip>
        </Space>
      </div>
      <div className={latest ? "wall-body with-latest" : "wall-body"} ref={body}>
        {error && !data ? <Trouble error={error} retry={() => void refetch()} /> : null}
        {isPending ? <Skeleton active paragraph={{ rows: 10 }} /> : null}
        {data && tiles.length === 0 ? (
          <Nothing
            title={t(tallies?.total ? "wall.none" : "wall.empty")}
            text={tallies?.total ? undefined : t("wall.empty.how")}
          />
        ) : null}
        {tiles.length > 0 ? <Tiles cameras={tiles} layout={layout} alarms={alarms} /> : null}
        {latest ? <LatestEvents /> : null}
      </div>
    </div>
  );
}

function Tiles({
  cameras,
  layout,
  alarms,
}: {
  cameras: CameraSummary[];
  layout: number;
  alarms: Set<string>;
}) {
  const frame = useRef<HTMLDivElement>(null);
  const [width, height] = useSize(frame);
  const { columns, tile } = bestGrid(cameras.length, width, height, GAP);
  return (
    <div className="tiles-frame" ref={frame}>
      <div
        className="tiles"
        style={{
          gridTemplateColumns: `repeat(${columns}, ${tile}px)`,
          gridAutoRows: `${(tile * 9) / 16}px`,
          gap: GAP,
        }}
      >
        {cameras.map((camera) => (
          <Tile key={camera.id} camera={camera} fps={FPS[layout] ?? 5} alarm={alarms.has(camera.id)} />
        ))}
      </div>
    </div>
  );
}

function Tile({ camera, fps, alarm }: { camera: CameraSummary; fps: number; alarm: boolean }) {
  const { t } = useTexts();
  return (
    <Link
      className={alarm ? "tile alarm" : "tile"}
      to={`/cameras/${encodeURIComponent(camera.id)}`}
      aria-label={t("wall.open", { name: camera.name })}
    >
      <LiveCanvas
        camera={camera.id}
        name={camera.name}
        zones={camera.zones}
        fps={fps}
        enabled={camera.enabled}
        state={camera.status.state}
      />
      <span className="tile-caption">
        <span className="name">{camera.name}</span>
        <CameraState state={camera.status.state} short />
      </span>
    </Link>
  );
}

/** Page Up and Page Down turn the wall's pages. */
function usePageKeys(setPage: (change: (page: number) => number) => void, pages: number): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key === "PageDown") setPage((page) => Math.min(pages - 1, page + 1));
      else if (event.key === "PageUp") setPage((page) => Math.max(0, page - 1));
      else return;
      event.preventDefault();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [setPage, pages]);
}
