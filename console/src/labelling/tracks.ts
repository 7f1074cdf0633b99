import type { Label } from "../api/labelling";

export type Track = Extract<Label, { kind: "track" }>;
export type KeyFrame = Track["keys"][number];
export type Corners = KeyFrame["box"];

/** Where a thing is at a moment (s), as the server reckons it: in a straight line between two key frames; null: it is
 * not to be seen then. Pure, as all here. */
export function boxAt(track: Track, seconds: number): Corners | null {
  const place = track.keys.findLastIndex(({ at }) => at <= seconds);
  const [one, after] = [track.keys[place], track.keys[place + 1]];
  if (!one || one.outside) return null;
  if (one.at === seconds) return one.box;
  if (!after) return null;
  const part = (seconds - one.at) / (after.at - one.at);
  const between = (n: 0 | 1 | 2 | 3) => one.box[n] + (after.box[n] - one.box[n]) * part;
  return [between(0), between(1), between(2), between(3)];
}

/** Where it was last, or will be first: from here it is drawn on. */
export function nearestBox(track: Track, seconds: number): Corners {
  const shown = boxAt(track, seconds);
  if (shown) return shown;
  const before = track.keys.findLast(({ at }) => at <= seconds) ?? track.keys[0];
  return before?.box ?? [0, 0, 1, 1];
}

/** With a key frame at that moment, in the place of one that is there. */
export function withKey(track: Track, key: KeyFrame): Track {
  const others = track.keys.filter(({ at }) => at !== key.at);
  return { ...track, keys: [...others, key].sort((a, b) => a.at - b.at) };
}

/** Without the key frame at that moment; null: nothing to be seen is left of it. */
export function withoutKey(track: Track, seconds: number): Track | null {
  const left = track.keys.filter(({ at }) => at !== seconds);
  const first = left.findIndex(({ outside }) => !outside);
  return first < 0 ? null : { ...track, keys: left.slice(first) };
}

/** From when to when it is on the timeline, s. */
export function spanOf(track: Track): [number, number] {
  return [track.keys[0]?.at ?? 0, track.keys.at(-1)?.at ?? 0];
}
