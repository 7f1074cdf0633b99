import { describe, expect, it } from "vitest";
import {
  atFrame,
  back,
  begunReel,
  boxesOf,
  clock,
  cornered,
  ended,
  filmTime,
  frameAt,
  frameOnFilm,
  inNextZone,
  keyed,
  momentOf,
  nudged,
  outside,
  type Reel,
  removed,
  started,
  toEdge,
} from "./reel";
import { reelActOf } from "./reelKeys";
import { next, redone, undone, withSuggested, withWord } from "./sheet";
import { boxAt, type Track, withoutKey } from "./tracks";

const clip = { duration_s: 10, fps: 25, frames: 250, start_s: 0 };
const empty = begunReel([], clip, ["lane"], "illegal_parking");
const parked = ended(atFrame(started(atFrame(empty, 50)), 150));
const drawn = cornered(cornered(atFrame(empty, 25), [0.1, 0.2]), [0.3, 0.6]);
const moved = nudged(atFrame(drawn, 75), 0.4, 0, false);
const only = (reel: Reel) => reel.labels[0] as Track;

describe("a track", () => {
  const track: Track = {
    kind: "track",
    label: "car",
    keys: [
      { at: 1, box: [0.1, 0.2, 0.3, 0.6], outside: false },
      { at: 3, box: [0.5, 0.2, 0.7, 0.6], outside: true },
      { at: 5, box: [0.5, 0.2, 0.7, 0.6], outside: false },
    ],
  };

  it("moves in a straight line and is exact at its key frames", () => {
    expect(boxAt(track, 1)).toEqual([0.1, 0.2, 0.3, 0.6]);
    const half = boxAt(track, 2) ?? [];
    expect(half[0]).toBeCloseTo(0.3);
    expect(half[2]).toBeCloseTo(0.5);
  });

  it("is not to be seen before, after, nor while it is outside", () => {
    expect([0.99, 3, 4, 5.01].map((at) => boxAt(track, at))).toEqual([null, null, null, null]);
    expect(boxAt(track, 5)).toEqual([0.5, 0.2, 0.7, 0.6]);
  });

  it("never begins outside", () => {
    expect(withoutKey(track, 1)?.keys.map(({ at }) => at)).toEqual([5]);
    expect(withoutKey({ ...track, keys: track.keys.slice(0, 2) }, 1)).toBeNull();
  });
});

describe("a reel", () => {
  it("takes an interval from [ to ], in the only zone there is", () => {
    expect(parked.labels).toEqual([
      { kind: "interval", label: "illegal_parking", zone: "lane", start: 2, end: 6 },
    ]);
    expect(parked.selected).toBe(0);
    expect(ended(started(empty)).labels).toEqual([]); // it would have no length
    expect(ended(started(atFrame(empty, 50)), true).labels).toMatchObject([{ start: 2, end: null }]);
  });

  it("moves the selected interval's start and end, and never turns it round", () => {
    expect(started(atFrame(parked, 100)).labels).toMatchObject([{ start: 4, end: 6 }]);
    expect(ended(atFrame(parked, 200)).labels).toMatchObject([{ start: 2, end: 8 }]);
    const early = atFrame(parked, 25);
    expect(ended(early)).toBe(early);
    const late = atFrame(parked, 151);
    expect(started(late)).toBe(late);
  });

  it("goes through the camera's zones and none", () => {
    const none = inNextZone(parked);
    expect(none.labels).toMatchObject([{ zone: "" }]);
    expect(inNextZone(none).labels).toMatchObject([{ zone: "lane" }]);
  });

  it("makes a track of two corners, and key frames where its box is moved", () => {
    expect(only(drawn)).toEqual({
      kind: "track",
      label: "illegal_parking",
      keys: [{ at: 1, box: [0.1, 0.2, 0.3, 0.6], outside: false }],
    });
    expect(only(moved).keys.map(({ at, box }) => [at, box])).toEqual([
      [1, [0.1, 0.2, 0.3, 0.6]],
      [3, [0.5, 0.2, 0.7, 0.6]],
    ]);
    const [half] = boxesOf(atFrame(moved, 50));
    expect(half?.key).toBe(false);
    expect(half?.box[0]).toBeCloseTo(0.3);
    expect(only(keyed(atFrame(moved, 50))).keys).toHaveLength(3);
    expect(boxesOf(atFrame(moved, 76))).toEqual([]);
  });

  it("keeps a box in the picture, and does not turn it round", () => {
    expect(only(nudged(drawn, 2, 0, false)).keys[0]?.box).toEqual([0.8, 0.2, 1, 0.6]);
    expect(nudged(drawn, -0.5, 0, true)).toBe(drawn);
    expect(only(nudged(drawn, 0, 0.1, true)).keys[0]?.box).toEqual([0.1, 0.2, 0.3, 0.7]);
  });

  it("takes a thing out of the picture and back, not before it was there", () => {
    const gone = outside(atFrame(moved, 50));
    expect(boxesOf(atFrame(gone, 60))).toEqual([]);
    expect(boxesOf(outside(gone))).toHaveLength(1);
    expect(outside(atFrame(moved, 25)).labels).toEqual(moved.labels);
  });

  it("deletes what is begun, a key frame, and the whole label", () => {
    expect(removed(started(empty)).from).toBeNull();
    expect(only(removed(moved, true)).keys).toHaveLength(1);
    expect(removed(moved).labels).toEqual([]);
    expect(removed(drawn, true).labels).toEqual([]); // its only one
    const between = atFrame(moved, 50);
    expect(removed(between, true)).toBe(between);
  });

  it("takes back and does again, step by step", () => {
    expect(undone(moved).labels).toEqual(drawn.labels);
    expect(redone(undone(moved)).labels).toEqual(moved.labels);
    expect(back(started(parked)).labels).toEqual(back(parked).labels);
    expect(back(started(next(parked, 1)))).toMatchObject({ from: null, labels: parked.labels });
  });

  it("goes frame by frame, and from edge to edge", () => {
    expect(atFrame(empty, 900).frame).toBe(249);
    expect(atFrame(empty, -1).frame).toBe(0);
    expect(toEdge(atFrame(parked, 60), 1).frame).toBe(150);
    expect(toEdge(atFrame(parked, 60), -1).frame).toBe(50);
    for (const fps of [23.976024, 24.038462, 30, 12.5]) {
      const other = { duration_s: 8, fps, frames: Math.round(8 * fps), start_s: 0.5 };
      for (let n = 0; n < other.frames; n++) {
        expect(frameAt(other, momentOf(other, n))).toBe(n);
        expect(frameOnFilm(other, filmTime(other, n))).toBe(n);
      }
    }
    expect(clock(63.999)).toBe("1:04.00");
  });

  it("renames what is selected, and takes over what is suggested once", () => {
    expect(withWord(parked, "litter").labels).toMatchObject([{ label: "litter" }]);
    const both = withSuggested(parked, moved.labels);
    expect(both.labels).toHaveLength(2);
    expect(withSuggested(both, moved.labels)).toBe(both);
  });
});

describe("keys of a clip", () => {
  const press = (key: string, more = {}) =>
    reelActOf({
      key,
      repeat: false,
      ctrlKey: false,
      metaKey: false,
      altKey: false,
      shiftKey: false,
      ...more,
    });

  it("play, step, mark, and send", () => {
    expect(press(" ")).toEqual({ do: "play" });
    expect(press("ArrowRight", { repeat: true })).toEqual({ do: "step", by: 1 });
    expect(press("ArrowLeft", { shiftKey: true })).toEqual({ do: "second", by: -1 });
    expect(press("[")).toEqual({ do: "start" });
    expect(press("}", { shiftKey: true })).toEqual({ do: "end", open: true });
    expect(press("K")).toEqual({ do: "key" });
    expect(press("Backspace", { shiftKey: true })).toEqual({ do: "delete", key: true });
    expect(press("d", { altKey: true })).toMatchObject({ do: "nudge", x: 0.002 });
    expect(press("z", { ctrlKey: true })).toEqual({ do: "undo" });
    expect(press("Enter", { repeat: true })).toBeNull();
    expect(press("ArrowLeft", { altKey: true })).toBeNull(); // the browser's own
  });
});
