import type { Label, LabelItem } from "../api/labelling";
import { clampPoint, type Point } from "../zones/geometry";
import { begun, boxOf, changed, type Sheet, taken, undone, withTool } from "./sheet";
import { boxAt, type Corners, nearestBox, type Track, withKey, withoutKey } from "./tracks";

export type ClipFacts = NonNullable<LabelItem["clip"]>;
export type Interval = Extract<Label, { kind: "interval" }>;

/** One clip's labels while somebody works on them. Pure; all changes of `labels` can be taken back. */
export interface Reel extends Sheet {
  clip: ClipFacts;
  /** the play head: number of the picture */
  frame: number;
  /** the picture at which an interval was begun that has no end yet */
  from: number | null;
  /** of the clip's camera */
  zones: readonly string[];
}

export function begunReel(
  labels: readonly Label[],
  clip: ClipFacts,
  zones: readonly string[],
  word: string,
): Reel {
  return { ...begun(labels, "track", word), clip, frame: 0, from: null, zones };
}

/** The moment of a picture, s; on the grid of millionths that is kept. */
export function momentOf(clip: ClipFacts, frame: number): number {
  return Math.min(clip.duration_s, Math.round((frame / clip.fps) * 1e6) / 1e6);
}

/** The picture that is shown at a moment. */
export function frameAt(clip: ClipFacts, seconds: number): number {
  const frame = Math.floor(seconds * clip.fps + 1e-3);
  return Math.min(clip.frames - 1, Math.max(0, frame));
}

/** Where players have the middle of a picture: at its edge, rounding could show the one before. */
export function filmTime(clip: ClipFacts, frame: number): number {
  return clip.start_s + (frame + 0.5) / clip.fps;
}

/** The picture that players show at a time. */
export function frameOnFilm(clip: ClipFacts, time: number): number {
  return frameAt(clip, time - clip.start_s);
}

export function headOf(reel: Reel): number {
  return momentOf(reel.clip, reel.frame);
}

export function atFrame(reel: Reel, frame: number): Reel {
  const within = Math.min(reel.clip.frames - 1, Math.max(0, Math.round(frame)));
  return within === reel.frame ? reel : { ...reel, frame: within };
}

/** To the next key frame, start or end, of what is selected, else of all; or to the one before. */
export function toEdge(reel: Reel, by: 1 | -1): Reel {
  const one = selectedOf(reel);
  const moments = (one ? [one] : reel.labels).flatMap(edgesOf).map((at) => frameAt(reel.clip, at));
  const ahead = moments.filter((frame) => (frame - reel.frame) * by > 0).sort((a, b) => (a - b) * by);
  return ahead[0] === undefined ? reel : atFrame(reel, ahead[0]);
}

function edgesOf(one: Label): number[] {
  if (one.kind === "track") return one.keys.map(({ at }) => at);
  return one.kind === "interval" ? [one.start, ...(one.end == null ? [] : [one.end])] : [];
}

export function selectedOf(reel: Reel): Label | undefined {
  return reel.selected === null ? undefined : reel.labels[reel.selected];
}

function replaced(reel: Reel, one: Label): Reel {
  return changed(
    reel,
    reel.labels.map((other, n) => (n === reel.selected ? one : other)),
    reel.selected,
  );
}

/** `[`: the selected interval begins here; without one the next interval does. */
export function started(reel: Reel): Reel {
  const one = selectedOf(reel);
  const start = headOf(reel);
  if (one?.kind !== "interval")
    return { ...withTool(reel, "interval"), selected: null, from: reel.frame, corners: [] };
  return one.end != null && start >= one.end ? reel : replaced(reel, { ...one, start });
}

/** `]`: what was begun, else the selected interval, ends here; `open`: it goes on past the clip. */
export function ended(reel: Reel, open = false): Reel {
  const end = open ? null : headOf(reel);
  const one = selectedOf(reel);
  if (reel.from !== null) {
    const start = momentOf(reel.clip, reel.from);
    if (end !== null && end <= start) return reel;
    const zone = reel.zones.length === 1 ? (reel.zones[0] ?? "") : "";
    const made: Interval = { kind: "interval", label: reel.word, zone, start, end };
    return { ...changed(reel, [...reel.labels, made], reel.labels.length), from: null };
  }
  if (one?.kind !== "interval" || (end !== null && end <= one.start)) return reel;
  return replaced(reel, { ...one, end });
}

/** The selected interval gets the camera's next zone; after the last one none. */
export function inNextZone(reel: Reel): Reel {
  const one = selectedOf(reel);
  if (one?.kind !== "interval" || reel.zones.length === 0) return reel;
  const all = ["", ...reel.zones];
  return replaced(reel, { ...one, zone: all[(all.indexOf(one.zone) + 1) % all.length] ?? "" });
}

/** `K`: a key frame of the selected track, where it is now; without one a corner of a new track's box. */
export function keyed(reel: Reel): Reel {
  const one = selectedOf(reel);
  if (one?.kind !== "track") return cornered(reel, reel.cursor);
  const at = headOf(reel);
  return replaced(reel, withKey(one, { at, box: onGrid(nearestBox(one, at)), outside: false }));
}

/** `O`: from here on the selected track is not to be seen, or is again. */
export function outside(reel: Reel): Reel {
  const one = selectedOf(reel);
  const at = headOf(reel);
  if (one?.kind !== "track" || at <= (one.keys[0]?.at ?? 0)) return reel;
  const there = one.keys.find((key) => key.at === at);
  const box = there?.box ?? onGrid(nearestBox(one, at));
  return replaced(reel, withKey(one, { at, box, outside: there ? !there.outside : boxAt(one, at) !== null }));
}

/** A corner is set. The second one makes the box of the selected track here, or a new track. */
export function cornered(reel: Reel, point: Point): Reel {
  const at = clampPoint(point);
  const first = reel.corners[0];
  if (!first) return { ...reel, tool: "track", from: null, corners: [at] };
  const box = boxOf(first, at);
  if (!box) return { ...reel, corners: [] };
  const one = selectedOf(reel);
  const key = { at: headOf(reel), box, outside: false };
  if (one?.kind === "track") return { ...replaced(reel, withKey(one, key)), corners: [] };
  const made: Track = { kind: "track", label: reel.word, keys: [key] };
  return { ...changed(reel, [...reel.labels, made], reel.labels.length), corners: [] };
}

/** The selected track's box is moved, or (`grow`) its right lower corner, and that is a key frame; else the cross is. */
export function nudged(reel: Reel, dx: number, dy: number, grow: boolean): Reel {
  const one = selectedOf(reel);
  if (one?.kind !== "track" || reel.corners.length > 0) {
    const far = grow ? 5 : 1;
    return { ...reel, cursor: clampPoint([reel.cursor[0] + dx * far, reel.cursor[1] + dy * far]) };
  }
  const at = headOf(reel);
  const [x1, y1, x2, y2] = nearestBox(one, at);
  const [mx, my] = [held(dx, x1, x2), held(dy, y1, y2)];
  const box = grow ? boxOf([x1, y1], [x2 + dx, y2 + dy]) : boxOf([x1 + mx, y1 + my], [x2 + mx, y2 + my]);
  const turned = grow && (x2 + dx <= x1 || y2 + dy <= y1);
  return box && !turned ? replaced(reel, withKey(one, { at, box, outside: false })) : reel;
}

function held(by: number, low: number, high: number): number {
  return Math.min(1 - high, Math.max(-low, by));
}

function onGrid([x1, y1, x2, y2]: Corners): Corners {
  const round = (value: number) => Math.round(value * 1e6) / 1e6;
  return [round(x1), round(y1), round(x2), round(y2)];
}

/** Backspace: the last corner, what was begun, the key frame here (`key`), or the selected label goes. */
export function removed(reel: Reel, key = false): Reel {
  if (reel.corners.length === 0 && reel.from !== null) return { ...reel, from: null };
  const one = selectedOf(reel);
  if (!key || one?.kind !== "track" || reel.corners.length > 0) return taken(reel);
  const left = withoutKey(one, headOf(reel));
  if (left?.keys.length === one.keys.length) return reel;
  return left ? replaced(reel, left) : taken(reel);
}

/** What was begun is given up, then the last change. */
export function back(reel: Reel): Reel {
  return reel.from !== null ? { ...reel, from: null } : undone(reel);
}

export interface Drawn {
  number: number;
  label: string;
  box: Corners;
  /** somebody set it, it is not reckoned */
  key: boolean;
}

/** The boxes of all tracks at the play head. */
export function boxesOf(reel: Reel): Drawn[] {
  const at = headOf(reel);
  return reel.labels.flatMap((one, number) => {
    if (one.kind !== "track") return [];
    const box = boxAt(one, at);
    return box ? [{ number, label: one.label, box, key: one.keys.some((key) => key.at === at) }] : [];
  });
}

/** Minutes and seconds to the hundredth, as the timeline has them. */
export function clock(seconds: number): string {
  const hundredths = Math.round(seconds * 100);
  const minutes = Math.floor(hundredths / 6000);
  return `${minutes}:${((hundredths % 6000) / 100).toFixed(2).padStart(5, "0")}`;
}
