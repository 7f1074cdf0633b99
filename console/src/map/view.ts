import type { World } from "./mercator";

/** What of the world is on screen: its centre, and a zoom at which the world is 256 · 2^zoom pixels wide. */
export interface View extends World {
  zoom: number;
}

export type Size = readonly [width: number, height: number];

export const MIN_ZOOM = 2;
export const MAX_ZOOM = 20;
/** Shown where nothing says what to show: China. */
export const NOWHERE: View = { x: 0.789, y: 0.41, zoom: 4 };

/** Pixels of one world width. */
export function scaleOf(view: View): number {
  return 256 * 2 ** view.zoom;
}

export function toScreen(view: View, [width, height]: Size, { x, y }: World): World {
  const scale = scaleOf(view);
  return { x: (x - view.x) * scale + width / 2, y: (y - view.y) * scale + height / 2 };
}

export function toWorld(view: View, [width, height]: Size, { x, y }: World): World {
  const scale = scaleOf(view);
  return { x: view.x + (x - width / 2) / scale, y: view.y + (y - height / 2) / scale };
}

function within(view: View): View {
  const clamp = (value: number, least: number, most: number) => Math.max(least, Math.min(most, value));
  return { x: clamp(view.x, 0, 1), y: clamp(view.y, 0, 1), zoom: clamp(view.zoom, MIN_ZOOM, MAX_ZOOM) };
}

/** What was drawn moves by so many pixels. */
export function moved(view: View, dx: number, dy: number): View {
  const scale = scaleOf(view);
  return within({ ...view, x: view.x - dx / scale, y: view.y - dy / scale });
}

/** `by` zoom levels nearer; what lies under `at` (pixels) stays under it. */
export function zoomed(view: View, size: Size, at: World, by: number): View {
  const zoom = Math.max(MIN_ZOOM, Math.min(MAX_ZOOM, view.zoom + by));
  const held = toWorld(view, size, at);
  const scale = 256 * 2 ** zoom;
  return within({ x: held.x - (at.x - size[0] / 2) / scale, y: held.y - (at.y - size[1] / 2) / scale, zoom });
}

/** All of these with a margin around them, in pixels; one place alone is not shown nearer than `nearest`. */
export function fitted(places: Iterable<World>, [width, height]: Size, margin = 60, nearest = 16): View {
  let [west, east, north, south] = [1, 0, 1, 0];
  for (const { x, y } of places) {
    west = Math.min(west, x);
    east = Math.max(east, x);
    north = Math.min(north, y);
    south = Math.max(south, y);
  }
  if (west > east) return NOWHERE;
  const room = (pixels: number) => Math.max(40, pixels - 2 * margin);
  const scale = Math.min(room(width) / (east - west || 1e-12), room(height) / (south - north || 1e-12));
  const zoom = Math.min(nearest, Math.log2(scale / 256));
  return within({ x: (west + east) / 2, y: (north + south) / 2, zoom });
}
