import { describe, expect, it } from "vitest";
import { placed, type Step, seriesOf, told } from "./curve";

describe("curves", () => {
  it("are told apart by figure, also where one begins later", () => {
    const steps: Step[] = [
      { step: 1, figures: { loss: 2 } },
      { step: 2, figures: { loss: 1, map50: 0.5 } },
    ];
    expect(seriesOf(steps)).toEqual([
      [
        "loss",
        [
          [1, 2],
          [2, 1],
        ],
      ],
      ["map50", [[2, 0.5]]],
    ]);
  });

  it("fill the square from the first step to the last that there will be", () => {
    const points: [number, number][] = [
      [1, 4],
      [3, 2],
    ];
    expect(placed(points, 5)).toEqual([
      [0, 0],
      [0.5, 1],
    ]);
  });

  it("lie in the middle where nothing changes or there is one step only", () => {
    expect(placed([[1, 7]], 1)).toEqual([[0.5, 0.5]]);
  });

  it("are told in few digits", () => {
    expect(told(0.123456)).toBe("0.1235");
    expect(told(12)).toBe("12");
  });
});
