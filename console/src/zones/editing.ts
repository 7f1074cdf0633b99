/** The zone editor's state and every step it can take. Pure, so that it can be tested and undone. */

import { area, clampPoint, isSimple, midpoint, type Point } from "./geometry";

export const ZONE_KINDS = ["no_parking", "road", "square", "sidewalk", "platform", "bin", "area"] as const;
export type ZoneKind = (typeof ZONE_KINDS)[number];
export const MAX_POINTS = 64;
const UNDO_DEPTH = 50;
const SMALLEST_AREA = 0.0002;

export interface Calibration {
  image: readonly Point[];
  ground_m: readonly Point[];
}

/** A part of the picture at a known height above the road; it is kept as it is, not edited here. */
export interface DepthMark {
  name?: string;
  polygon: readonly Point[];
  height_cm: number;
}

export interface EditZone {
  id: string;
  name: string;
  kind: ZoneKind;
  polygon: readonly Point[];
  preset: string | null;
  capacity: number | null;
  calibration: Calibration | null;
  depth_marks: readonly DepthMark[];
}

export interface EditState {
  /** as the server has them */
  saved: readonly EditZone[];
  zones: readonly EditZone[];
  selected: string | null;
  /** points of the polygon being drawn; null: nothing is being drawn */
  drawing: readonly Point[] | null;
  undo: readonly (readonly EditZone[])[];
}

/** A zone that is offered: taken over with a click, saved like any other. */
export interface Proposal {
  kind: ZoneKind;
  polygon: readonly Point[];
  /** the zone as it would stand now that the camera has moved; null: a new zone */
  replaces: EditZone | null;
}

export type Step =
  | { do: "load"; zones: readonly EditZone[] }
  | { do: "select"; id: string | null }
  | { do: "start-drawing" }
  | { do: "add-point"; point: Point }
  | { do: "drop-point" }
  | { do: "finish-drawing"; kind: ZoneKind; name: string; preset: string | null }
  | { do: "cancel-drawing" }
  | { do: "accept"; proposals: readonly Proposal[]; preset: string | null }
  | { do: "remember" }
  | { do: "move-point"; index: number; point: Point }
  | { do: "move-zone"; by: Point }
  | { do: "insert-point"; after: number }
  | { do: "remove-point"; index: number }
  | { do: "change"; fields: Partial<Pick<EditZone, "name" | "kind" | "capacity" | "preset">> }
  | { do: "remove-zone" }
  | { do: "undo" }
  | { do: "revert" };

export function initial(zones: readonly EditZone[]): EditState {
  return { saved: zones, zones, selected: zones[0]?.id ?? null, drawing: null, undo: [] };
}

function remembered(state: EditState): EditState {
  return { ...state, undo: [...state.undo.slice(-UNDO_DEPTH + 1), state.zones] };
}

function editSelected(state: EditState, edit: (zone: EditZone) => EditZone): EditState {
  return { ...state, zones: state.zones.map((zone) => (zone.id === state.selected ? edit(zone) : zone)) };
}

/** The first free id of the form no_parking-1. */
export function freeId(zones: readonly EditZone[], kind: ZoneKind): string {
  const taken = new Set(zones.map((zone) => zone.id));
  let number = 1;
  while (taken.has(`${kind}-${number}`)) number++;
  return `${kind}-${number}`;
}

function finishDrawing(state: EditState, kind: ZoneKind, name: string, preset: string | null): EditState {
  const polygon = state.drawing;
  if (!polygon || polygon.length < 3) return state;
  const id = freeId([...state.zones, ...state.saved], kind);
  const zone: EditZone = {
    id,
    name,
    kind,
    polygon,
    preset,
    capacity: null,
    calibration: null,
    depth_marks: [],
  };
  return { ...remembered(state), zones: [...state.zones, zone], selected: id, drawing: null };
}

function accept(state: EditState, proposal: Proposal, preset: string | null): EditState {
  const moved = proposal.replaces;
  if (moved) {
    const zones = state.zones.map((zone) =>
      zone.id === moved.id
        ? { ...zone, polygon: moved.polygon, calibration: moved.calibration, depth_marks: moved.depth_marks }
        : zone,
    );
    return { ...state, zones, selected: moved.id };
  }
  const zone: EditZone = {
    id: freeId([...state.zones, ...state.saved], proposal.kind),
    name: "",
    kind: proposal.kind,
    polygon: proposal.polygon,
    preset,
    capacity: null,
    calibration: null,
    depth_marks: [],
  };
  return { ...state, zones: [...state.zones, zone], selected: zone.id };
}

/** Whether the zones as they are edited already hold what a proposal would add. */
export function isTaken(zones: readonly EditZone[], proposal: Proposal): boolean {
  const wanted = JSON.stringify(proposal.polygon);
  return zones.some((zone) => zone.kind === proposal.kind && JSON.stringify(zone.polygon) === wanted);
}

/** A zone moves as far as the picture's edge lets it, keeping its shape. */
function shifted(polygon: readonly Point[], [dx, dy]: Point): readonly Point[] {
  const xs = polygon.map((p) => p[0]);
  const ys = polygon.map((p) => p[1]);
  const x = Math.min(1 - Math.max(...xs), Math.max(-Math.min(...xs), dx));
  const y = Math.min(1 - Math.max(...ys), Math.max(-Math.min(...ys), dy));
  return polygon.map((p) => clampPoint([p[0] + x, p[1] + y]));
}

export function reduce(state: EditState, step: Step): EditState {
  switch (step.do) {
    case "load":
      return { ...initial(step.zones), selected: keepSelection(state.selected, step.zones) };
    case "select":
      return state.drawing ? state : { ...state, selected: step.id };
    case "start-drawing":
      return { ...state, drawing: [], selected: null };
    case "add-point":
      if (!state.drawing || state.drawing.length >= MAX_POINTS) return state;
      return { ...state, drawing: [...state.drawing, clampPoint(step.point)] };
    case "drop-point":
      return state.drawing ? { ...state, drawing: state.drawing.slice(0, -1) } : state;
    case "finish-drawing":
      return finishDrawing(state, step.kind, step.name, step.preset);
    case "accept":
      return state.drawing
        ? state
        : step.proposals.reduce((s, p) => accept(s, p, step.preset), remembered(state));
    case "cancel-drawing":
      return { ...state, drawing: null };
    case "remember":
      return remembered(state);
    case "move-point":
      return editSelected(state, (zone) => ({
        ...zone,
        polygon: zone.polygon.map((p, i) => (i === step.index ? clampPoint(step.point) : p)),
      }));
    case "move-zone":
      return editSelected(state, (zone) => ({ ...zone, polygon: shifted(zone.polygon, step.by) }));
    case "insert-point":
      return editSelected(remembered(state), (zone) => insertPoint(zone, step.after));
    case "remove-point":
      return editSelected(remembered(state), (zone) =>
        zone.polygon.length <= 3
          ? zone
          : { ...zone, polygon: zone.polygon.filter((_, i) => i !== step.index) },
      );
    case "change":
      return editSelected(remembered(state), (zone) => ({ ...zone, ...step.fields }));
    case "remove-zone": {
      const zones = state.zones.filter((zone) => zone.id !== state.selected);
      return { ...remembered(state), zones, selected: zones[0]?.id ?? null };
    }
    case "undo": {
      const zones = state.undo.at(-1);
      if (!zones) return state;
      return {
        ...state,
        zones,
        undo: state.undo.slice(0, -1),
        selected: keepSelection(state.selected, zones),
      };
    }
    case "revert":
      return {
        ...remembered(state),
        zones: state.saved,
        selected: keepSelection(state.selected, state.saved),
      };
  }
}

function keepSelection(id: string | null, zones: readonly EditZone[]): string | null {
  return zones.some((zone) => zone.id === id) ? id : (zones[0]?.id ?? null);
}

function insertPoint(zone: EditZone, after: number): EditZone {
  const a = zone.polygon[after];
  const b = zone.polygon[(after + 1) % zone.polygon.length];
  if (!a || !b || zone.polygon.length >= MAX_POINTS) return zone;
  const polygon = [...zone.polygon];
  polygon.splice(after + 1, 0, clampPoint(midpoint(a, b)));
  return { ...zone, polygon };
}

export function isDirty(state: EditState): boolean {
  return JSON.stringify(state.zones) !== JSON.stringify(state.saved);
}

export type ZoneFault = "crossing" | "tiny";

/** What is wrong with a zone's shape, before the server is asked. */
export function faultOf(zone: EditZone): ZoneFault | null {
  if (!isSimple(zone.polygon)) return "crossing";
  return area(zone.polygon) < SMALLEST_AREA ? "tiny" : null;
}
