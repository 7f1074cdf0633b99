import type { World } from "./mercator";
import type { Surface } from "./surface";

const CLICK_PX = 5;
const STEP_PX = 90;
const TOUCH_REACH = 14;
const REACH = 4;

/** What was asked for by hand. */
export interface Wishes {
  pick: (at: World, reach: number) => void;
  fit: () => void;
  close: () => void;
}

/** Mouse, wheel, fingers and keys upon the map. Returns how to stop listening. */
export function listen(surface: Surface, wishes: Wishes): () => void {
  const { canvas } = surface;
  const fingers = new Map<number, World>();
  let travelled = 0;

  const at = (event: MouseEvent): World => {
    const box = canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const down = (event: PointerEvent) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    if (fingers.size === 0) travelled = 0;
    fingers.set(event.pointerId, at(event));
  };
  const move = (event: PointerEvent) => {
    const before = fingers.get(event.pointerId);
    const now = at(event);
    if (!before) {
      if (event.pointerType === "mouse") {
        canvas.style.cursor = surface.groupAt(now, REACH) ? "pointer" : "grab";
      }
      return;
    }
    const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
    fingers.set(event.pointerId, now);
    travelled += Math.hypot(now.x - before.x, now.y - before.y);
    if (other) pinch(surface, other, before, now);
    else if (travelled > CLICK_PX) surface.drag(now.x - before.x, now.y - before.y);
  };
  const up = (event: PointerEvent) => {
    if (!fingers.delete(event.pointerId) || event.type === "pointercancel") return;
    if (fingers.size > 0)
      travelled = CLICK_PX + 1; // the end of a pinch picks nothing
    else if (travelled <= CLICK_PX) {
      wishes.pick(at(event), event.pointerType === "touch" ? TOUCH_REACH : REACH);
    }
  };
  const wheel = (event: WheelEvent) => {
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    const by = Math.max(-1.5, Math.min(1.5, (-event.deltaY * lines) / (event.ctrlKey ? 60 : 240)));
    surface.zoom(by, at(event));
  };
  const twice = (event: MouseEvent) => surface.zoom(1, at(event));
  const key = (event: KeyboardEvent) => {
    if (!pressed(event, surface, wishes)) return;
    event.preventDefault();
    surface.aim(true);
  };
  const blur = () => surface.aim(false);

  canvas.addEventListener("pointerdown", down);
  canvas.addEventListener("pointermove", move);
  canvas.addEventListener("pointerup", up);
  canvas.addEventListener("pointercancel", up);
  canvas.addEventListener("wheel", wheel, { passive: false });
  canvas.addEventListener("dblclick", twice);
  canvas.addEventListener("keydown", key);
  canvas.addEventListener("blur", blur);
  return () => {
    canvas.removeEventListener("pointerdown", down);
    canvas.removeEventListener("pointermove", move);
    canvas.removeEventListener("pointerup", up);
    canvas.removeEventListener("pointercancel", up);
    canvas.removeEventListener("wheel", wheel);
    canvas.removeEventListener("dblclick", twice);
    canvas.removeEventListener("keydown", key);
    canvas.removeEventListener("blur", blur);
  };
}

/** One of two fingers moves: what was between them stays between them. */
function pinch(surface: Surface, still: World, before: World, now: World): void {
  const was = Math.hypot(before.x - still.x, before.y - still.y);
  const is = Math.hypot(now.x - still.x, now.y - still.y);
  surface.drag((now.x - before.x) / 2, (now.y - before.y) / 2);
  if (was > 0 && is > 0) {
    surface.zoom(Math.log2(is / was), { x: (now.x + still.x) / 2, y: (now.y + still.y) / 2 });
  }
}

const ARROWS: Record<string, readonly [number, number]> = {
  ArrowLeft: [1, 0],
  ArrowRight: [-1, 0],
  ArrowUp: [0, 1],
  ArrowDown: [0, -1],
};

function pressed(event: KeyboardEvent, surface: Surface, wishes: Wishes): boolean {
  if (event.ctrlKey || event.altKey || event.metaKey) return false;
  const arrow = ARROWS[event.key];
  if (arrow) {
    const step = event.shiftKey ? 3 * STEP_PX : STEP_PX;
    surface.drag(arrow[0] * step, arrow[1] * step);
  } else if (event.key === "+" || event.key === "=") surface.zoom(1);
  else if (event.key === "-" || event.key === "_") surface.zoom(-1);
  else if (event.key === "Home" || event.key === "0") wishes.fit();
  else if (event.key === "Enter") wishes.pick(surface.middle(), Number.POSITIVE_INFINITY);
  else if (event.key === "Escape") wishes.close();
  else return false;
  return true;
}
