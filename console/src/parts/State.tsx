import { Tag } from "antd";
import { useTexts } from "../i18n";
import { PALETTE } from "../theme";

/** A camera's live state: a dot and a word, never colour alone. */
export function CameraState({ state, short = false }: { state: string; short?: boolean }) {
  const { word } = useTexts();
  const text = word("state", state);
  return (
    <span className="state" title={text}>
      <i className={`dot ${state}`} />
      {short && state === "running" ? null : text}
    </span>
  );
}

export const TYPE_COLOURS: Record<string, string> = {
  illegal_parking: PALETTE.warn,
  crowding: "#c77fd6",
  waterlogging: "#5b9be6",
  litter: "#b5b04a",
  camera_health: "#8f7de0",
};

/** What an event is; of camera health also what ails the camera. */
export function EventType({ type, objectClass = null }: { type: string; objectClass?: string | null }) {
  const { word } = useTexts();
  return (
    <span className="state">
      <i className="dot" style={{ background: TYPE_COLOURS[type] ?? PALETTE.dim, borderRadius: 2 }} />
      {word("event", type)}
      {type === "camera_health" && objectClass ? `：${word("ailment", objectClass)}` : null}
    </span>
  );
}

export function EventState({ state }: { state: string }) {
  const { word } = useTexts();
  return (
    <Tag color={state === "open" ? "error" : "default"} style={{ marginInlineEnd: 0 }}>
      {word("event.state", state)}
    </Tag>
  );
}

const SEVERITY_COLOURS: Record<string, string> = {
  info: "default",
  minor: "processing",
  major: "warning",
  critical: "error",
};

export function SeverityTag({ severity }: { severity: string }) {
  const { word } = useTexts();
  return (
    <Tag color={SEVERITY_COLOURS[severity] ?? "default"} style={{ marginInlineEnd: 0 }}>
      {word("severity", severity)}
    </Tag>
  );
}
