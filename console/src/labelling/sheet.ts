import type { Kind, Label } from "../api/labelling";
import { boxBetween } from "../review/box";
import { clampPoint, type Point } from "../zones/geometry";

/** One picture's or clip's labels while somebody works on them. Pure; all changes of `labels` can be taken back. */
export interface Sheet {
  labels: readonly Label[];
  selected: number | null;
  past: readonly (readonly Label[])[];
  future: readonly (readonly Label[])[];
  tool: Kind;
  /** the class that the next label gets */
  word: string;
  /** where the keyboard draws */
  cursor: Point;
  /** corners of what is being drawn */
  corners: readonly Point[];
}

export function begun(labels: readonly Label[], tool: Kind, word: string): Sheet {
  return { labels, selected: null, past: [], future: [], tool, word, cursor: [0.5, 0.5], corners: [] };
}

const KEPT = 200;

export function changed<S extends Sheet>(sheet: S, labels: readonly Label[], selected: number | null): S {
  return { ...sheet, labels, selected, past: [...sheet.past, sheet.labels].slice(-KEPT), future: [] };
}

export function undone<S extends Sheet>(sheet: S): S {
  const before = sheet.past.at(-1);
  if (sheet.corners.length > 0) return { ...sheet, corners: [] };
  if (!before) return sheet;
  const future = [sheet.labels, ...sheet.future];
  return { ...sheet, labels: before, past: sheet.past.slice(0, -1), future, selected: null };
}

export function redone<S extends Sheet>(sheet: S): S {
  const [after, ...future] = sheet.future;
  if (!after) return sheet;
  return { ...sheet, labels: after, past: [...sheet.past, sheet.labels], future, selected: null };
}

export function withTool<S extends Sheet>(sheet: S, tool: Kind): S {
  return { ...sheet, tool, corners: [], selected: null };
}

/** A class was named: the selected label gets it; with tags the picture gets it or loses it; else the next label. */
export function withWord<S extends Sheet>(sheet: S, word: string): S {
  const named = { ...sheet, word };
  if (sheet.selected !== null) {
    const labels = sheet.labels.map((one, n) => (n === sheet.selected ? { ...one, label: word } : one));
    return changed(named, labels, sheet.selected);
  }
  if (sheet.tool !== "tag") return named;
  const others = sheet.labels.filter((one) => !(one.kind === "tag" && one.label === word));
  const given = others.length < sheet.labels.length;
  return changed(named, given ? others : [...others, { kind: "tag", label: word }], null);
}

/** A corner is set. The second one makes a box; an outline goes on until it is closed. */
export function withCorner(sheet: Sheet, point: Point): Sheet {
  const at = clampPoint(point);
  if (sheet.tool === "tag") return sheet;
  const first = sheet.corners[0];
  if (sheet.tool === "polygon" || !first)
    return { ...sheet, corners: [...sheet.corners, at], selected: null };
  const box = boxOf(first, at);
  if (!box) return { ...sheet, corners: [] };
  const label: Label = { kind: "box", label: sheet.word, box };
  return { ...changed(sheet, [...sheet.labels, label], null), corners: [] };
}

/** The outline is closed; with fewer than three corners it was none. */
export function closed(sheet: Sheet): Sheet {
  if (sheet.corners.length < 3) return { ...sheet, corners: [] };
  const points = sheet.corners.map(([x, y]): [number, number] => [x, y]);
  const label: Label = { kind: "polygon", label: sheet.word, points };
  return { ...changed(sheet, [...sheet.labels, label], null), corners: [] };
}

export function boxOf(a: Point, b: Point): [number, number, number, number] | null {
  const corners = boxBetween(a, b);
  const [first, third] = [corners?.[0], corners?.[2]];
  return first && third ? [first[0], first[1], third[0], third[1]] : null;
}

/** The last corner, or the selected label, goes. */
export function taken<S extends Sheet>(sheet: S): S {
  if (sheet.corners.length > 0) return { ...sheet, corners: sheet.corners.slice(0, -1) };
  if (sheet.selected === null) return sheet;
  return changed(
    sheet,
    sheet.labels.filter((_, n) => n !== sheet.selected),
    null,
  );
}

/** The next label is selected, or the one before; after the last one none is. */
export function next<S extends Sheet>(sheet: S, by: 1 | -1): S {
  const count = sheet.labels.length + 1;
  const at = ((sheet.selected ?? count - 1) + by + count) % count;
  return { ...sheet, selected: at === count - 1 ? null : at, corners: [] };
}

/** Arrow keys: the selected shape goes, or (`grow`) its right lower corner; without one the cursor does. */
export function pushed(sheet: Sheet, dx: number, dy: number, grow: boolean): Sheet {
  const one = sheet.selected === null ? undefined : sheet.labels[sheet.selected];
  if (!one) {
    const far = grow ? 5 : 1;
    return { ...sheet, cursor: clampPoint([sheet.cursor[0] + dx * far, sheet.cursor[1] + dy * far]) };
  }
  const pushed = moved(one, dx, dy, grow);
  const labels = sheet.labels.map((other, n) => (n === sheet.selected ? pushed : other));
  return pushed === one ? sheet : changed(sheet, labels, sheet.selected);
}

function moved(one: Label, dx: number, dy: number, grow: boolean): Label {
  if (one.kind === "box") {
    const [x1, y1, x2, y2] = one.box;
    const box = grow
      ? boxOf([x1, y1], [x2 + dx, y2 + dy])
      : inside(x1, x2, dx) && inside(y1, y2, dy)
        ? boxOf([x1 + dx, y1 + dy], [x2 + dx, y2 + dy])
        : null;
    return box ? { ...one, box } : one;
  }
  if (one.kind === "polygon" && !grow) {
    const [xs, ys] = [one.points.map(([x]) => x), one.points.map(([, y]) => y)];
    if (!inside(Math.min(...xs), Math.max(...xs), dx) || !inside(Math.min(...ys), Math.max(...ys), dy))
      return one;
    const points = one.points.map(([x, y]): [number, number] => {
      const [u, v] = clampPoint([x + dx, y + dy]);
      return [u, v];
    });
    return { ...one, points };
  }
  return one;
}

function inside(low: number, high: number, by: number): boolean {
  return low + by >= 0 && high + by <= 1;
}

/** What is suggested becomes one's own, but for what is there already. */
export function withSuggested<S extends Sheet>(sheet: S, suggested: readonly Label[]): S {
  const known = new Set(sheet.labels.map(shapeOf));
  const fresh = suggested.filter((one) => !known.has(shapeOf(one)));
  return fresh.length > 0 ? changed(sheet, [...sheet.labels, ...fresh], null) : sheet;
}

function shapeOf(one: Label): string {
  switch (one.kind) {
    case "box":
      return JSON.stringify([one.kind, one.label, one.box]);
    case "polygon":
      return JSON.stringify([one.kind, one.label, one.points]);
    case "track":
      return JSON.stringify([
        one.kind,
        one.label,
        one.keys.map(({ at, box, outside }) => [at, box, outside]),
      ]);
    case "interval":
      return JSON.stringify([one.kind, one.label, one.zone, one.start, one.end ?? null]);
    default:
      return JSON.stringify([one.kind, one.label]);
  }
}
