import type { Schemas } from "../api/client";
import { toGcj } from "./datum";
import { convexHull } from "./hull";
import { type LonLat, project, type World } from "./mercator";

export type MapCamera = Schemas["MapCamera"];
export type MapCase = Schemas["MapCase"];
export type OpenEvents = Schemas["OpenEvents"];
export type Datum = Schemas["Tiles"]["datum"];

/** Something that is looked for on the map: a camera, or a case at a place that no camera of ours shows. */
export interface Place extends World {
  id: string;
  name: string;
  camera: MapCamera | null;
  /** of the camera; null where there is none that one may see */
  state: string | null;
  events: OpenEvents[];
  cases: MapCase[];
}

export interface MapFilters {
  department: string[];
  type: string[];
  state: string[];
  /** only where something is open */
  busy: boolean;
}

export interface MapData {
  cameras: readonly MapCamera[];
  stateOf: (camera: string) => string;
  events: readonly OpenEvents[];
  cases: readonly MapCase[];
}

/** Where a place of WGS 84 is drawn on ground of a datum. */
export function drawnAt(place: LonLat, datum: Datum): World {
  return project(datum === "gcj02" ? toGcj(place) : place);
}

const passes = (chosen: readonly string[], ...values: string[]) =>
  chosen.length === 0 || values.some((value) => chosen.includes(value));

/** Whether a camera's events count. That nothing is open there is no reason against it. */
const counted = (camera: MapCamera, state: string, { department, state: states }: MapFilters) =>
  passes(department, camera.department) && passes(states, state);

/** The hours in which nobody watched the cameras that count, also those at which nothing is open. */
export function hoursNotWatched(
  { cameras, stateOf }: Pick<MapData, "cameras" | "stateOf">,
  filters: MapFilters,
  hours: Record<string, number>,
): number {
  return cameras
    .filter((camera) => counted(camera, stateOf(camera.id), filters))
    .reduce((sum, { id }) => sum + (hours[id] ?? 0), 0);
}

/** What passes the filters: what has a place on the map, and what has none. Nothing that passes is in neither. */
export function placesOf(
  data: MapData,
  filters: MapFilters,
  datum: Datum,
): { placed: Place[]; unplaced: Place[] } {
  const placed: Place[] = [];
  const unplaced: Place[] = [];
  const byCamera = new Map<string, Place>();
  const known = new Set<string>();
  for (const camera of data.cameras) {
    known.add(camera.id);
    const state = data.stateOf(camera.id);
    if (!counted(camera, state, filters)) continue;
    byCamera.set(camera.id, made(camera.id, camera.name, camera, state, positionOf(camera), datum));
  }
  // Events and cases of cameras that one may not see as a whole, or that have left the pool.
  const stray = (id: string, name: string, department: string, position: LonLat | null) => {
    if (filters.state.length > 0 || !passes(filters.department, department)) return undefined;
    const place = byCamera.get(id) ?? made(id, name, null, null, position, datum);
    byCamera.set(id, place);
    return place;
  };
  const found = (camera: string, name: string, department: string, position: LonLat | null) =>
    known.has(camera) ? byCamera.get(camera) : stray(camera, name, department, position);
  for (const event of data.events) {
    if (!passes(filters.type, event.type)) continue;
    found(event.camera, event.camera, event.department, null)?.events.push(event);
  }
  for (const one of data.cases) {
    if (!passes(filters.type, ...one.types)) continue;
    const id = one.camera || `case-${one.id}`;
    const place = found(id, one.place || `#${one.id}`, one.department, one.position);
    if (!place) continue;
    place.cases.push(one);
    if (Number.isNaN(place.x) && one.position) Object.assign(place, drawnAt(one.position, datum));
  }
  for (const place of byCamera.values()) {
    if (filters.busy && place.events.length === 0 && place.cases.length === 0) continue;
    (Number.isNaN(place.x) ? unplaced : placed).push(place);
  }
  return { placed, unplaced };
}

function positionOf({ lon, lat }: MapCamera): LonLat | null {
  return lon === null || lat === null ? null : { lon, lat };
}

function made(
  id: string,
  name: string,
  camera: MapCamera | null,
  state: string | null,
  position: LonLat | null,
  datum: Datum,
): Place {
  const at = position ? drawnAt(position, datum) : { x: Number.NaN, y: Number.NaN };
  return { id, name, camera, state, events: [], cases: [], ...at };
}

/** A grid as far as it is known: the shape around its cameras. */
export interface Grid {
  name: string;
  corners: World[];
  west: number;
  east: number;
  north: number;
  south: number;
}

/** The grids that have three cameras or more which do not stand in one line. */
export function gridsOf(cameras: readonly MapCamera[], datum: Datum): Grid[] {
  const points = new Map<string, World[]>();
  for (const camera of cameras) {
    const position = positionOf(camera);
    if (!camera.grid || !position) continue;
    const known = points.get(camera.grid);
    const at = drawnAt(position, datum);
    if (known) known.push(at);
    else points.set(camera.grid, [at]);
  }
  return [...points].flatMap(([name, at]) => {
    const corners = convexHull(at);
    if (corners.length === 0) return [];
    const xs = corners.map(({ x }) => x);
    const ys = corners.map(({ y }) => y);
    const [west, east, north, south] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
    return [{ name, corners, west, east, north, south }];
  });
}
