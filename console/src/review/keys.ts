import { WHY, type Why } from "../api/review";

/** What a key means while an event is judged. */
export type Act =
  | { do: "real" }
  | { do: "ask" } // why it is a false alarm
  | { do: "false"; why: Why }
  | { do: "cancel" }
  | { do: "missed" }
  | { do: "undo" }
  | { do: "move"; by: 1 | -1 }
  | { do: "look"; by: 1 | -1 }
  | { do: "clip" };

const ALWAYS: Record<string, Act> = {
  j: { do: "real" },
  enter: { do: "real" },
  f: { do: "ask" },
  m: { do: "missed" },
  u: { do: "undo" },
  backspace: { do: "undo" },
  arrowright: { do: "move", by: 1 },
  arrowleft: { do: "move", by: -1 },
  arrowdown: { do: "look", by: 1 },
  arrowup: { do: "look", by: -1 },
  c: { do: "clip" },
};

interface Pressed {
  key: string;
  repeat: boolean;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
}

/** Pure. `asking`: the reasons of a false alarm are offered. A key that is held down says nothing twice. */
export function actOf({ key, repeat, ctrlKey, metaKey, altKey }: Pressed, asking: boolean): Act | null {
  if (ctrlKey || metaKey || altKey || repeat) return null;
  const name = key.toLowerCase();
  if (!asking) return ALWAYS[name] ?? null;
  if (name === "escape" || name === "f" || name === "backspace") return { do: "cancel" };
  const why = /^[1-9]$/.test(name) ? WHY[Number(name) - 1] : undefined;
  return why ? { do: "false", why } : null;
}

/** Whether a key belongs to what has the focus, and not to the page. */
export function taken(target: EventTarget | null, key: string): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.closest("input, textarea, select, [contenteditable], .ant-select, .ant-modal, .ant-dropdown"))
    return true;
  return (key === "Enter" || key === " ") && target.closest("a, button, summary") !== null;
}
