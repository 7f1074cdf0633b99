import { DeleteOutlined, PlusOutlined, UndoOutlined } from "@ant-design/icons";
import { Alert, Button, Input, InputNumber, Select } from "antd";
import type { Dispatch } from "react";
import type { CameraDetail } from "../api/client";
import { useTexts } from "../i18n";
import { zoneColour } from "../live/draw";
import { type EditState, type EditZone, faultOf, isDirty, type Step, ZONE_KINDS } from "./editing";

interface Props {
  camera: CameraDetail;
  state: EditState;
  dispatch: Dispatch<Step>;
  save: () => void;
  saving: boolean;
  /** field path → what the server said is wrong with it */
  faults: Map<string, string>;
}

/** The list of zones, the form of the chosen one, and saving. */
export function ZonePanel({ camera, state, dispatch, save, saving, faults }: Props) {
  const { t } = useTexts();
  const dirty = isDirty(state);
  const broken = state.zones.some((zone) => faultOf(zone) !== null);
  const index = state.zones.findIndex((zone) => zone.id === state.selected);
  const selected = state.zones[index];
  return (
    <section className="panel">
      <div className="head" style={{ marginBottom: 10 }}>
        <h2 style={{ margin: 0 }}>{t("zones.title")}</h2>
        <Button
          className="push"
          size="small"
          icon={<PlusOutlined />}
          disabled={state.drawing !== null}
          onClick={() => dispatch({ do: "start-drawing" })}
        >
          {t("zones.draw")}
        </Button>
      </div>
      {state.zones.length === 0 && !state.drawing ? <p className="dim">{t("zones.empty")}</p> : null}
      <ul className="zone-list">
        {state.zones.map((zone) => (
          <ZoneItem key={zone.id} zone={zone} selected={zone.id === state.selected} dispatch={dispatch} />
        ))}
      </ul>
      {selected ? (
        <ZoneForm
          key={selected.id}
          zone={selected}
          camera={camera}
          dispatch={dispatch}
          said={[...faults].filter(([field]) => field.startsWith(`zones[${index}]`)).map(([, text]) => text)}
        />
      ) : null}
      <div className="actions">
        <Button
          type="primary"
          aria-label={t("zones.save")} // else its name has the spinner's in front until that has faded
          disabled={!dirty || broken || state.drawing !== null}
          loading={saving}
          onClick={save}
        >
          {t("zones.save")}
        </Button>
        <Button
          icon={<UndoOutlined />}
          disabled={state.undo.length === 0}
          onClick={() => dispatch({ do: "undo" })}
        >
          {t("zones.undo")}
        </Button>
        <Button type="text" disabled={!dirty} onClick={() => dispatch({ do: "revert" })}>
          {t("zones.revert")}
        </Button>
      </div>
      {dirty ? (
        <p className="dim" style={{ margin: "8px 0 0" }} role="status">
          {t("zones.unsaved")}
        </p>
      ) : null}
    </section>
  );
}

function ZoneItem({
  zone,
  selected,
  dispatch,
}: {
  zone: EditZone;
  selected: boolean;
  dispatch: Dispatch<Step>;
}) {
  const { t, word } = useTexts();
  const fault = faultOf(zone);
  return (
    <li>
      <button type="button" aria-pressed={selected} onClick={() => dispatch({ do: "select", id: zone.id })}>
        <i className="swatch" style={{ background: zoneColour(zone.kind) }} />
        <span style={{ flex: 1, minWidth: 0, overflow: "hidden", textOverflow: "ellipsis" }}>
          {zone.name || word("zone", zone.kind)}
        </span>
        <span className="dim">
          {fault ? t(`zones.${fault}`) : t("zones.points", { n: zone.polygon.length })}
        </span>
      </button>
    </li>
  );
}

interface FormProps {
  zone: EditZone;
  camera: CameraDetail;
  dispatch: Dispatch<Step>;
  said: string[];
}

function ZoneForm({ zone, camera, dispatch, said }: FormProps) {
  const { t, word } = useTexts();
  const fault = faultOf(zone);
  return (
    <>
      <div className="field">
        <label htmlFor="zone-kind">{t("zones.kind")}</label>
        <Select
          id="zone-kind"
          value={zone.kind}
          style={{ width: "100%" }}
          onChange={(kind) => dispatch({ do: "change", fields: { kind } })}
          options={ZONE_KINDS.map((kind) => ({ value: kind, label: word("zone", kind) }))}
        />
      </div>
      <div className="field">
        <label htmlFor="zone-name">{t("zones.name")}</label>
        <Input
          id="zone-name"
          value={zone.name}
          maxLength={120}
          placeholder={t("zones.name.hint")}
          onChange={(e) => dispatch({ do: "change", fields: { name: e.target.value } })}
        />
      </div>
      <div className="field">
        <label htmlFor="zone-capacity">{t("zones.capacity")}</label>
        <InputNumber
          id="zone-capacity"
          value={zone.capacity}
          min={1}
          max={100_000}
          precision={0}
          style={{ width: "100%" }}
          placeholder={t("zones.capacity.hint")}
          onChange={(capacity) => dispatch({ do: "change", fields: { capacity } })}
        />
      </div>
      {camera.presets.length > 0 ? (
        <div className="field">
          <label htmlFor="zone-preset">{t("zones.preset")}</label>
          <Select
            id="zone-preset"
            value={zone.preset}
            style={{ width: "100%" }}
            onChange={(preset) => dispatch({ do: "change", fields: { preset } })}
            options={[
              { value: null, label: t("zones.preset.any") },
              ...camera.presets.map((preset) => ({ value: preset.id, label: preset.name })),
            ]}
          />
        </div>
      ) : null}
      {zone.calibration ? <p className="dim">{t("zones.calibrated")}</p> : null}
      {fault ? <Alert type="error" title={t(`zones.${fault}`)} style={{ marginBottom: 10 }} /> : null}
      {said.map((text) => (
        <Alert key={text} type="error" title={text} style={{ marginBottom: 10 }} />
      ))}
      <div className="actions" style={{ marginBottom: 12 }}>
        <Button size="small" danger icon={<DeleteOutlined />} onClick={() => dispatch({ do: "remove-zone" })}>
          {t("zones.delete")}
        </Button>
      </div>
    </>
  );
}
