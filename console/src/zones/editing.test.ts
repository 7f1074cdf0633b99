import { describe, expect, it } from "vitest";
import {
  type EditState,
  type EditZone,
  faultOf,
  freeId,
  initial,
  isDirty,
  isTaken,
  type Proposal,
  reduce,
  type Step,
} from "./editing";
import { area, isSimple, type Point } from "./geometry";

const square: EditZone = {
  id: "no_parking-1",
  name: "北口",
  kind: "no_parking",
  polygon: [
    [0.1, 0.1],
    [0.5, 0.1],
    [0.5, 0.5],
    [0.1, 0.5],
  ],
  preset: null,
  capacity: null,
  calibration: null,
  depth_marks: [],
};

const play = (state: EditState, ...steps: Step[]) => steps.reduce(reduce, state);

describe("polygon geometry", () => {
  it("tells simple from self-crossing", () => {
    expect(isSimple(square.polygon)).toBe(true);
    const bow: Point[] = [
      [0, 0],
      [1, 1],
      [1, 0],
      [0, 1],
    ];
    expect(isSimple(bow)).toBe(false);
    expect(isSimple(bow.slice(0, 2))).toBe(false);
  });

  it("measures area as a share of the picture", () => {
    expect(area(square.polygon)).toBeCloseTo(0.16);
    expect(area([...square.polygon].reverse())).toBeCloseTo(0.16);
  });
});

describe("proposed zones", () => {
  const lane: Proposal = {
    kind: "road",
    polygon: [
      [0.1, 0.6],
      [0.9, 0.6],
      [0.9, 0.9],
    ],
    replaces: null,
  };

  it("takes one over with a free id, once, and undoes it", () => {
    const before = initial([square]);
    const state = play(before, { do: "accept", proposals: [lane], preset: "home" });
    expect(state.zones[1]).toMatchObject({
      id: "road-1",
      kind: "road",
      polygon: lane.polygon,
      preset: "home",
    });
    expect(state.selected).toBe("road-1");
    expect(isDirty(state)).toBe(true);
    expect([isTaken(before.zones, lane), isTaken(state.zones, lane)]).toEqual([false, true]);
    expect(play(state, { do: "undo" }).zones).toEqual([square]);
  });

  it("moves zones along in one step and keeps what is not drawn", () => {
    const polygon = square.polygon.map(([x, y]): Point => [x + 0.05, y]);
    const moved: Proposal = { kind: "no_parking", polygon, replaces: { ...square, polygon, name: "" } };
    const state = play(initial([square]), { do: "accept", proposals: [moved], preset: null });
    expect(state.zones).toEqual([{ ...square, polygon }]);
    expect(play(state, { do: "undo" }).zones).toEqual([square]);
  });

  it("does nothing while a zone is being drawn", () => {
    const state = play(initial([square]), { do: "start-drawing" });
    expect(play(state, { do: "accept", proposals: [lane], preset: null })).toEqual(state);
  });
});

describe("zone editing", () => {
  it("draws a zone, gives it a free id and selects it", () => {
    const state = play(
      initial([square]),
      { do: "start-drawing" },
      { do: "add-point", point: [0.2, 0.6] },
      { do: "add-point", point: [0.9, 0.6] },
      { do: "add-point", point: [1.4, -0.2] },
      { do: "finish-drawing", kind: "no_parking", name: "", preset: null },
    );
    expect(state.drawing).toBeNull();
    expect(state.selected).toBe("no_parking-2");
    expect(state.zones[1]?.polygon[2]).toEqual([1, 0]);
    expect(isDirty(state)).toBe(true);
  });

  it("does not finish with two points, and takes the last point back", () => {
    const two = play(
      initial([]),
      { do: "start-drawing" },
      { do: "add-point", point: [0, 0] },
      { do: "add-point", point: [1, 0] },
      { do: "finish-drawing", kind: "road", name: "", preset: null },
    );
    expect(two.drawing).toHaveLength(2);
    expect(reduce(two, { do: "drop-point" }).drawing).toHaveLength(1);
    expect(reduce(two, { do: "cancel-drawing" }).drawing).toBeNull();
  });

  it("inserts, moves and removes vertices, never below three, and undoes each", () => {
    const inserted = play(initial([square]), { do: "insert-point", after: 3 });
    expect(inserted.zones[0]?.polygon[4]).toEqual([0.1, 0.3]);
    const moved = play(inserted, { do: "remember" }, { do: "move-point", index: 4, point: [0.05, 0.3] });
    expect(moved.zones[0]?.polygon[4]).toEqual([0.05, 0.3]);
    const fewest = [0, 0, 0, 0].reduce((s, index) => reduce(s, { do: "remove-point", index }), moved);
    expect(fewest.zones[0]?.polygon).toHaveLength(3);
    const back = Array.from({ length: 9 }).reduce<EditState>((s) => reduce(s, { do: "undo" }), fewest);
    expect(back.zones).toEqual([square]);
    expect(isDirty(back)).toBe(false);
  });

  it("moves a zone only as far as the picture's edge, shape kept", () => {
    const state = play(initial([square]), { do: "move-zone", by: [-0.4, 0.9] });
    expect(state.zones[0]?.polygon).toEqual([
      [0, 0.6],
      [0.4, 0.6],
      [0.4, 1],
      [0, 1],
    ]);
  });

  it("removes, reverts and reloads", () => {
    const removed = reduce(initial([square]), { do: "remove-zone" });
    expect(removed.zones).toEqual([]);
    expect(freeId(removed.saved, "no_parking")).toBe("no_parking-2");
    expect(reduce(removed, { do: "revert" }).zones).toEqual([square]);
    const other = { ...square, id: "b" };
    expect(reduce(removed, { do: "load", zones: [other] })).toMatchObject({ selected: "b", undo: [] });
  });

  it("names the fault of a shape", () => {
    expect(faultOf(square)).toBeNull();
    expect(
      faultOf({
        ...square,
        polygon: [
          [0, 0],
          [1, 1],
          [1, 0],
          [0, 1],
        ],
      }),
    ).toBe("crossing");
    expect(
      faultOf({
        ...square,
        polygon: [
          [0, 0],
          [0.01, 0],
          [0, 0.01],
        ],
      }),
    ).toBe("tiny");
  });
});
