import type { Kind } from "../api/labelling";
import { FINE, type Pressed, STEP } from "./pressed";

/** What a key means while a picture is labelled. */
export type Act =
  | { do: "class"; at: number }
  | { do: "tool"; kind: Kind }
  | { do: "push"; x: number; y: number; grow: boolean }
  | { do: "corner" }
  | { do: "enter" }
  | { do: "delete" }
  | { do: "next"; by: 1 | -1 }
  | { do: "leave" }
  | { do: "undo" }
  | { do: "redo" }
  | { do: "suggested" }
  | { do: "skip" }
  | { do: "reject" };

const ARROWS: Record<string, [number, number]> = {
  arrowleft: [-1, 0],
  arrowright: [1, 0],
  arrowup: [0, -1],
  arrowdown: [0, 1],
};
const PLAIN: Record<string, Act> = {
  b: { do: "tool", kind: "box" },
  p: { do: "tool", kind: "polygon" },
  t: { do: "tool", kind: "tag" },
  " ": { do: "corner" },
  enter: { do: "enter" },
  backspace: { do: "delete" },
  delete: { do: "delete" },
  escape: { do: "leave" },
  u: { do: "undo" },
  y: { do: "redo" },
  g: { do: "suggested" },
  n: { do: "skip" },
  r: { do: "reject" },
};

/** Pure. Only the arrow keys and taking back go on while they are held; Alt makes small steps. */
export function actOf(pressed: Pressed): Act | null {
  const name = pressed.key.toLowerCase();
  if (pressed.ctrlKey || pressed.metaKey) {
    if (name === "z") return pressed.shiftKey ? { do: "redo" } : { do: "undo" };
    return null;
  }
  const arrow = ARROWS[name];
  if (arrow) {
    const step = pressed.altKey ? FINE : STEP;
    return { do: "push", x: arrow[0] * step, y: arrow[1] * step, grow: pressed.shiftKey };
  }
  if (pressed.altKey || pressed.repeat) return null;
  if (/^[1-9]$/.test(name)) return { do: "class", at: Number(name) - 1 };
  if (name === "tab") return { do: "next", by: pressed.shiftKey ? -1 : 1 };
  return PLAIN[name] ?? null;
}
