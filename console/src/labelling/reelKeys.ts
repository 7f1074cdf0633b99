import { FINE, type Pressed, STEP } from "./pressed";

/** What a key means while a clip is labelled. */
export type ReelAct =
  | { do: "class"; at: number }
  | { do: "play" }
  | { do: "step"; by: number }
  | { do: "second"; by: 1 | -1 }
  | { do: "begin" }
  | { do: "last" }
  | { do: "edge"; by: 1 | -1 }
  | { do: "start" }
  | { do: "end"; open: boolean }
  | { do: "zone" }
  | { do: "key" }
  | { do: "outside" }
  | { do: "nudge"; x: number; y: number; grow: boolean }
  | { do: "tags" }
  | { do: "enter" }
  | { do: "delete"; key: boolean }
  | { do: "next"; by: 1 | -1 }
  | { do: "leave" }
  | { do: "undo" }
  | { do: "redo" }
  | { do: "suggested" }
  | { do: "skip" }
  | { do: "reject" };

const MOVES: Record<string, [number, number]> = { a: [-1, 0], d: [1, 0], w: [0, -1], s: [0, 1] };
const HELD: Record<string, ReelAct> = { ",": { do: "edge", by: -1 }, ".": { do: "edge", by: 1 } };
const PLAIN: Record<string, ReelAct> = {
  " ": { do: "play" },
  home: { do: "begin" },
  end: { do: "last" },
  "[": { do: "start" },
  "【": { do: "start" }, // the same key of a Chinese keyboard
  "]": { do: "end", open: false },
  "】": { do: "end", open: false },
  "}": { do: "end", open: true },
  z: { do: "zone" },
  k: { do: "key" },
  o: { do: "outside" },
  t: { do: "tags" },
  enter: { do: "enter" },
  escape: { do: "leave" },
  u: { do: "undo" },
  y: { do: "redo" },
  g: { do: "suggested" },
  n: { do: "skip" },
  r: { do: "reject" },
};

/** Pure. Only what moves goes on while its key is held. */
export function reelActOf(pressed: Pressed): ReelAct | null {
  const name = pressed.key.toLowerCase();
  if (pressed.ctrlKey || pressed.metaKey) {
    if (name === "z") return pressed.shiftKey ? { do: "redo" } : { do: "undo" };
    return null;
  }
  if (name === "arrowleft" || name === "arrowright") {
    const by = name === "arrowleft" ? -1 : 1;
    if (pressed.altKey) return null;
    return pressed.shiftKey ? { do: "second", by } : { do: "step", by };
  }
  const move = MOVES[name];
  if (move) {
    const step = pressed.altKey ? FINE : STEP;
    return { do: "nudge", x: move[0] * step, y: move[1] * step, grow: pressed.shiftKey };
  }
  if (pressed.altKey) return null;
  if (HELD[name]) return HELD[name];
  if (pressed.repeat) return null;
  if (/^[1-9]$/.test(name)) return { do: "class", at: Number(name) - 1 };
  if (name === "tab") return { do: "next", by: pressed.shiftKey ? -1 : 1 };
  if (name === "backspace" || name === "delete") return { do: "delete", key: pressed.shiftKey };
  return PLAIN[name] ?? null;
}
