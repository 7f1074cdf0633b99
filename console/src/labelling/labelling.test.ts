import { describe, expect, it } from "vitest";
import { NetworkError } from "../api/client";
import type { Label } from "../api/labelling";
import { type Letter, letter, nameOf, replaced, send } from "../outbox/letters";
import { actOf } from "./keys";
import {
  begun,
  closed,
  next,
  pushed,
  redone,
  taken,
  undone,
  withCorner,
  withSuggested,
  withTool,
  withWord,
} from "./sheet";

const empty = begun([], "box", "car");
const drawn = withCorner(withCorner(empty, [0.6, 0.7]), [0.2, 0.3]);
const car: Label = { kind: "box", label: "car", box: [0.2, 0.3, 0.6, 0.7] };

describe("a sheet", () => {
  it("takes a box by two corners, whichever comes first", () => {
    expect(drawn.labels).toEqual([car]);
    expect(withCorner(withCorner(empty, [0.5, 0.5]), [0.5, 0.9]).labels).toEqual([]); // no area
  });

  it("takes an outline corner by corner, and none with fewer than three", () => {
    const two = [0.1, 0.5].reduce((sheet, x) => withCorner(sheet, [x, 0.1]), withTool(empty, "polygon"));
    expect(closed(two).labels).toEqual([]);
    expect(closed(withCorner(two, [0.3, 2])).labels).toEqual([
      {
        kind: "polygon",
        label: "car",
        points: [
          [0.1, 0.1],
          [0.5, 0.1],
          [0.3, 1],
        ],
      },
    ]);
    expect(taken(two).corners).toEqual([[0.1, 0.1]]);
  });

  it("takes back and does again, step by step", () => {
    const renamed = withWord(next(drawn, 1), "bus");
    expect(renamed.labels[0]?.label).toBe("bus");
    expect(undone(renamed).labels).toEqual([car]);
    expect(undone(undone(renamed)).labels).toEqual([]);
    expect(redone(undone(renamed)).labels).toEqual(renamed.labels);
    expect(undone(empty)).toBe(empty);
    expect(undone(withCorner(drawn, [0.9, 0.9])).labels).toEqual([car]); // what is half drawn goes first
  });

  it("moves and grows what is selected, and never out of the picture", () => {
    const selected = next(drawn, 1);
    expect(pushed(selected, 0.1, 0, false).labels).toEqual([{ ...car, box: [0.3, 0.3, 0.7, 0.7] }]);
    expect(pushed(selected, 0, 0.1, true).labels).toEqual([{ ...car, box: [0.2, 0.3, 0.6, 0.8] }]);
    expect(pushed(selected, 0.5, 0, false)).toBe(selected);
    expect(pushed(empty, 0.01, 0, true).cursor).toEqual([0.55, 0.5]);
    expect(pushed(empty, 9, 9, false).cursor).toEqual([1, 1]);
  });

  it("goes through its labels and out again", () => {
    expect(next(drawn, 1).selected).toBe(0);
    expect(next(next(drawn, 1), 1).selected).toBeNull();
    expect(next(drawn, -1).selected).toBe(0);
    expect(taken(next(drawn, 1)).labels).toEqual([]);
  });

  it("gives the picture a tag and takes it away", () => {
    const wet = withWord(withTool(empty, "tag"), "wet");
    expect(wet.labels).toEqual([{ kind: "tag", label: "wet" }]);
    expect(withWord(wet, "wet").labels).toEqual([]);
  });

  it("takes over what is suggested once", () => {
    const both = withSuggested(drawn, [car, { ...car, label: "bus" }]);
    expect(both.labels).toHaveLength(2);
    expect(withSuggested(both, [car])).toBe(both);
  });
});

describe("keys", () => {
  const press = (key: string, more = {}) =>
    actOf({ key, repeat: false, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...more });
  it("draw, name, take back and send", () => {
    expect(press("3")).toEqual({ do: "class", at: 2 });
    expect(press("P")).toEqual({ do: "tool", kind: "polygon" });
    expect(press("ArrowLeft")).toEqual({ do: "push", x: -0.01, y: 0, grow: false });
    expect(press("ArrowDown", { altKey: true, repeat: true })).toMatchObject({ y: 0.002 });
    expect(press("z", { ctrlKey: true })).toEqual({ do: "undo" });
    expect(press("z", { ctrlKey: true, shiftKey: true })).toEqual({ do: "redo" });
    expect(press("a", { ctrlKey: true })).toBeNull();
    expect(press("Enter", { repeat: true })).toBeNull(); // a key held down sends nothing twice
  });
});

describe("drafts on their way", () => {
  const draft = (stamp: number, ms = stamp): Letter => ({
    ...letter({ to: "draft", item: 7, body: { labels: [], stamp } }),
    ms,
  });
  const answer: Letter = {
    ...letter({ to: "labels", item: 7, body: { labels: [], note: "", spent_s: 1, key: "k" } }),
    ms: 9,
  };
  it("give way to newer ones and to the answer, and to nothing else", () => {
    expect(replaced(draft(1), draft(2))).toBe(true);
    expect(replaced(draft(2), draft(1))).toBe(false);
    expect(replaced(draft(1), answer)).toBe(true);
    expect(replaced(answer, draft(10))).toBe(false);
    expect(replaced({ ...draft(1), item: 8 } as Letter, answer)).toBe(false);
    expect(nameOf(draft(1))).not.toBe(nameOf(draft(2)));
  });

  it("wait while nobody answers", async () => {
    const outcome = await send(draft(1), () => Promise.reject(new NetworkError("dead")), 100);
    expect(outcome).toMatchObject({ kind: "later", letter: { tries: 1 } });
  });
});
