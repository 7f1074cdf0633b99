import { ArrowLeftOutlined } from "@ant-design/icons";
import { Alert, Button, Modal, Skeleton, Switch, Tag } from "antd";
import { useCallback, useEffect, useState } from "react";
import { type Blocker, Link, useBlocker, useParams } from "react-router";
import { useRights } from "../api/access";
import type { CameraDetail } from "../api/client";
import { useCamera } from "../api/queries";
import { useTexts } from "../i18n";
import { LiveCanvas } from "../live/LiveCanvas";
import { CameraState } from "../parts/State";
import { Trouble } from "../parts/Trouble";
import { formatTime } from "../parts/time";
import type { ZoneKind } from "../zones/editing";
import { type Offer, useProposals } from "../zones/useProposals";
import { useZoneEditor } from "../zones/useZoneEditor";
import { ZoneCanvas } from "../zones/ZoneCanvas";
import { ZonePanel } from "../zones/ZonePanel";

/** Of the picture itself, where the editor draws them over it. */
const NONE: CameraDetail["zones"] = [];

export function CameraRoom() {
  const { id = "" } = useParams();
  const { t } = useTexts();
  const { data, error, isPending, refetch } = useCamera(id);
  return (
    <div className="page">
      <div className="head">
        <Link to="/cameras" className="state">
          <ArrowLeftOutlined />
          &nbsp;{t("camera.back")}
        </Link>
      </div>
      {isPending ? <Skeleton active paragraph={{ rows: 12 }} /> : null}
      {error && !data ? <Trouble error={error} retry={() => void refetch()} /> : null}
      {data ? <Loaded key={data.id} camera={data} /> : null}
    </div>
  );
}

/** What the camera proposes: its zones where they would fit after it moved, and zones out of its own tracks. */
function Offers({
  proposals,
  take,
}: {
  proposals: ReturnType<typeof useProposals>;
  take: (offers: readonly Offer[]) => void;
}) {
  const { t } = useTexts();
  const { offers, moved, asked, setAsked } = proposals;
  const first = moved[0];
  if (first)
    return (
      <Alert
        type="warning"
        style={{ marginBottom: 10 }}
        title={t("zones.moved")}
        description={first.why}
        action={
          <Button size="small" onClick={() => take(moved)}>
            {t("zones.moved.take", { n: moved.length })}
          </Button>
        }
      />
    );
  if (offers.length === 0) return null;
  return (
    <p className="dim">
      <Switch
        size="small"
        checked={asked}
        onChange={setAsked}
        aria-label={t("zones.proposals", { n: offers.length })}
      />{" "}
      {t("zones.proposals", { n: offers.length })} {asked ? t("zones.proposals.how") : null}
    </p>
  );
}

/** The kind a new zone most likely has: what the camera's algorithms look for. */
function likelyKind(camera: CameraDetail): ZoneKind {
  if (camera.algorithms.includes("illegal_parking")) return "no_parking";
  return camera.algorithms.includes("crowding") ? "square" : "area";
}

function Loaded({ camera }: { camera: CameraDetail }) {
  const { t } = useTexts();
  const editor = useZoneEditor(camera);
  const { state, dispatch, dirty } = editor;
  const [aspect, setAspect] = useState(16 / 9);
  const onSize = useCallback((width: number, height: number) => setAspect(width / height), []);
  const leaving = useLeaveWarning(dirty);
  const mayDraw = useRights()("zones");
  const proposals = useProposals(camera.id, state, mayDraw);
  const preset = camera.presets[0]?.id ?? null;
  const take = (offers: readonly Offer[]) => dispatch({ do: "accept", proposals: offers, preset });
  const finish = () => dispatch({ do: "finish-drawing", kind: likelyKind(camera), name: "", preset: null });

  return (
    <>
      <div className="head">
        <h1>{camera.name}</h1>
        <CameraState state={camera.status.state} />
        <span className="dim">{camera.department_name}</span>
        <Link className="push" to={`/cameras/${encodeURIComponent(camera.id)}/why`}>
          {t("why.camera")}
        </Link>
        <Link to={`/events?camera=${encodeURIComponent(camera.id)}&hours=168`}>{t("camera.events")}</Link>
      </div>
      <div className="camera">
        <div>
          <div
            className="picture"
            style={{ aspectRatio: aspect, maxHeight: "76vh", maxWidth: `calc(76vh * ${aspect})` }}
          >
            <LiveCanvas
              camera={camera.id}
              name={camera.name}
              zones={mayDraw ? NONE : camera.zones}
              fps={12}
              enabled={camera.enabled}
              state={camera.status.state}
              onSize={onSize}
            />
            {mayDraw ? (
              <ZoneCanvas
                state={state}
                proposals={proposals.shown}
                accept={(offer) => take([offer])}
                dispatch={dispatch}
                finish={finish}
              />
            ) : null}
          </div>
          {mayDraw ? (
            <p className="dim" role="status">
              {t(state.drawing ? "zones.drawing" : "zones.hint")}
            </p>
          ) : null}
        </div>
        <div>
          {mayDraw ? (
            <>
              <Offers proposals={proposals} take={take} />
              <ZonePanel
                camera={camera}
                state={state}
                dispatch={dispatch}
                save={() => void editor.save()}
                saving={editor.saving}
                faults={editor.faults}
              />
            </>
          ) : null}
          <Facts camera={camera} />
          <Algorithms camera={camera} />
        </div>
      </div>
      <Modal
        open={leaving.state === "blocked"}
        title={t("zones.leaving")}
        onCancel={() => leaving.reset?.()}
        okText={t("zones.leaving.go")}
        okButtonProps={{ danger: true }}
        cancelText={t("zones.leaving.stay")}
        onOk={() => leaving.proceed?.()}
      >
        {t("zones.leaving.text")}
      </Modal>
      <Modal
        open={editor.conflict}
        title={t("zones.conflict")}
        onCancel={editor.goOn}
        footer={
          <div style={{ display: "grid", gap: 8 }}>
            <Button type="primary" block loading={editor.saving} onClick={() => void editor.keepMine()}>
              {t("zones.conflict.mine")}
            </Button>
            <Button block onClick={() => void editor.takeTheirs()} style={{ marginInlineStart: 0 }}>
              {t("zones.conflict.theirs")}
            </Button>
            <Button type="text" block onClick={editor.goOn} style={{ marginInlineStart: 0 }}>
              {t("zones.conflict.keep")}
            </Button>
          </div>
        }
      >
        {t("zones.conflict.text")}
      </Modal>
    </>
  );
}

/** Whether to ask before unsaved changes are left: the browser asks when the page is closed, we ask within it. */
function useLeaveWarning(dirty: boolean): Blocker {
  const blocker = useBlocker(
    ({ currentLocation, nextLocation }) => dirty && currentLocation.pathname !== nextLocation.pathname,
  );
  useEffect(() => {
    if (!dirty) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", ask);
    return () => window.removeEventListener("beforeunload", ask);
  }, [dirty]);
  return blocker;
}

function Facts({ camera }: { camera: CameraDetail }) {
  const { t, language, word } = useTexts();
  const { status } = camera;
  const rows: [string, string][] = [
    [
      t("camera.stream"),
      status.codec
        ? `${status.codec} ${status.width}×${status.height} · ${status.fps.toFixed(1)} fps · ${Math.round(status.kbit_s)} kbit/s`
        : "–",
    ],
    [t("camera.address"), camera.main.address],
    [t("camera.last_look"), status.last_look_utc ? formatTime(status.last_look_utc, language) : "–"],
    [t("camera.looks"), `${status.looks}`],
    [
      t("health.lost"),
      t("camera.looks.skipped", {
        superseded: status.looks_superseded,
        shed: status.looks_shed,
        gated: status.looks_gated,
      }),
    ],
    [t("camera.reconnects"), `${status.reconnects}`],
    [
      t("camera.clock"),
      status.clock_source
        ? `${word("detail.clock", status.clock_source)} ±${Math.round(status.clock_error_ms)} ms`
        : "–",
    ],
    [t("camera.grid"), camera.grid],
    [t("health.error"), status.error],
  ];
  return (
    <section className="panel">
      <h2>{t("camera.status")}</h2>
      <dl className="facts">
        {rows
          .filter(([, value]) => value)
          .map(([name, value]) => (
            <Fact key={name} name={name} value={value} />
          ))}
      </dl>
    </section>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </>
  );
}

function Algorithms({ camera }: { camera: CameraDetail }) {
  const { t, word } = useTexts();
  const entries = Object.entries(camera.parameters);
  return (
    <section className="panel">
      <h2>{t("camera.algorithms")}</h2>
      {entries.length === 0 ? <span className="dim">{t("camera.algorithms.none")}</span> : null}
      {entries.map(([name, parameters]) => (
        <details key={name} style={{ marginBottom: 6 }}>
          <summary style={{ cursor: "pointer" }}>
            <Tag>{word("event", name)}</Tag>
          </summary>
          <dl className="facts" style={{ margin: "8px 0" }}>
            {Object.entries(parameters)
              .filter(([, value]) => value !== null)
              .map(([key, value]) => (
                <Fact key={key} name={key} value={String(value)} />
              ))}
          </dl>
        </details>
      ))}
    </section>
  );
}
