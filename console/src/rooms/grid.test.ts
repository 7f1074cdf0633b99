import { describe, expect, it } from "vitest";
import { bestGrid } from "./grid";

describe("bestGrid", () => {
  it("shows the pictures as large as they can be", () => {
    expect(bestGrid(1, 1600, 900, 6)).toEqual({ columns: 1, tile: 1600 });
    expect(bestGrid(4, 1600, 900, 0)).toEqual({ columns: 2, tile: 800 });
    expect(bestGrid(6, 940, 680, 6).columns).toBe(2);
    expect(bestGrid(6, 1600, 680, 6).columns).toBe(3);
  });

  it("never spills over the box", () => {
    for (let count = 1; count <= 25; count++) {
      const { columns, tile } = bestGrid(count, 1000, 500, 6);
      const rows = Math.ceil(count / columns);
      expect(columns * tile + 6 * (columns - 1)).toBeLessThanOrEqual(1000);
      expect((rows * tile * 9) / 16 + 6 * (rows - 1)).toBeLessThanOrEqual(500);
    }
  });
});
