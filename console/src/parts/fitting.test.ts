import { describe, expect, it } from "vitest";
import { fitting } from "./fitting";

describe("what fits into a row", () => {
  const widths = [100, 50, 50, 100];

  it("is everything where there is room for everything, to the pixel", () => {
    expect(fitting(widths, 10, 330, 80)).toBe(4);
    expect(fitting([], 10, 0, 80)).toBe(0);
  });

  it("leaves room for what opens the rest", () => {
    expect(fitting(widths, 10, 329, 80)).toBe(3);
    expect(fitting(widths, 10, 310, 80)).toBe(3);
    expect(fitting(widths, 10, 309, 80)).toBe(2);
    expect(fitting(widths, 10, 189, 80)).toBe(0);
  });
});
