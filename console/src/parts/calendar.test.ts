import { describe, expect, it } from "vitest";
import { clock, rulesOf, runs, sameDays, weekOf } from "./calendar";

const WORK = { days: [0, 1, 2, 3, 4], from: "08:00", to: "18:00" };

describe("a week by rules", () => {
  it("has a rule's span on each of its days", () => {
    const week = weekOf([WORK]);
    expect(week).toHaveLength(7);
    expect(week[4]).toEqual([[480, 1080]]);
    expect(week[5]).toEqual([]);
  });

  it("splits a night over its two days, Sunday's into Monday", () => {
    const week = weekOf([{ days: [6], from: "22:00", to: "06:00" }]);
    expect(week[6]).toEqual([[1320, 1440]]);
    expect(week[0]).toEqual([[0, 360]]);
  });

  it("takes the same time twice as the whole day, and midnight as the day's end", () => {
    expect(weekOf([{ days: [2], from: "00:00", to: "00:00" }])[2]).toEqual([[0, 1440]]);
    const late = weekOf([{ days: [2], from: "20:00", to: "00:00" }]);
    expect(late[2]).toEqual([[1200, 1440]]);
    expect(late[3]).toEqual([]);
  });

  it("makes spans one that touch or overlap, whatever their order", () => {
    const late = { days: [0], from: "12:00", to: "20:00" };
    const lunch = { days: [0], from: "20:00", to: "21:30" };
    expect(weekOf([lunch, late, WORK])[0]).toEqual([[480, 1290]]);
  });
});

describe("rules by a week", () => {
  it("gives back the rules that made it", () => {
    const rules = [
      { days: [0, 1, 2, 3], from: "22:00", to: "06:00" },
      { days: [5], from: "09:00", to: "12:00" },
      { days: [6], from: "00:00", to: "00:00" },
    ];
    expect(rulesOf(weekOf(rules))).toEqual(rules);
    expect(rulesOf(weekOf([WORK]))).toEqual([WORK]);
  });

  it("says the same week, whatever it is", () => {
    let seed = 7;
    const below = (n: number) => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed % n;
    };
    const cuts = ["00:00", "06:00", "06:30", "12:00", "22:00", "23:59"] as const;
    for (let turn = 0; turn < 500; turn += 1) {
      const rules = Array.from({ length: 1 + below(4) }, () => ({
        days: [0, 1, 2, 3, 4, 5, 6].filter(() => below(2) === 0),
        from: cuts[below(6)] ?? "00:00",
        to: cuts[below(6)] ?? "00:00",
      }));
      const week = weekOf(rules);
      expect(weekOf(rulesOf(week)), JSON.stringify(rules)).toEqual(week);
    }
  });
});

describe("a week in words", () => {
  it("tells days of the same hours together", () => {
    const week = weekOf([WORK, { days: [5], from: "09:00", to: "12:00" }]);
    expect(sameDays(week)).toEqual([
      { days: [0, 1, 2, 3, 4], spans: [[480, 1080]] },
      { days: [5], spans: [[540, 720]] },
    ]);
  });

  it("finds runs of days", () => {
    expect(runs([0, 1, 2, 5])).toEqual([
      [0, 2],
      [5, 5],
    ]);
    expect(runs([])).toEqual([]);
  });

  it("writes the end of a day as 24:00", () => {
    expect([clock(0), clock(485), clock(1440)]).toEqual(["00:00", "08:05", "24:00"]);
  });
});
