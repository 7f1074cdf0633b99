import { describe, expect, it } from "vitest";
import type { EventSummary } from "../api/client";
import { NO_FILTERS } from "../api/queries";
import { matches, merge } from "./arrivals";

function event(id: string, fields: Partial<EventSummary> = {}): EventSummary {
  return {
    id,
    type: "illegal_parking",
    severity: "minor",
    state: "open",
    camera: "gate-1",
    camera_name: "北门",
    department: "traffic",
    department_name: "交警",
    zone: "lane",
    zone_name: "消防通道",
    grid: "",
    confidence: null,
    object_class: null,
    started_utc: 100,
    updated_utc: 100,
    ended_utc: null,
    numbers: {},
    reason: {},
    picture: null,
    has_clip: false,
    ...fields,
  };
}

describe("arriving events", () => {
  it("keeps one entry an event, the newer, with the pictures it had", () => {
    const merged = merge(
      [event("a", { picture: "/a.jpg" }), event("b", { started_utc: 50 })],
      [event("a", { updated_utc: 200, state: "closed" }), event("c", { started_utc: 300 })],
    );
    expect(merged.map((e) => e.id)).toEqual(["c", "a", "b"]);
    expect(merged[1]).toMatchObject({ state: "closed", picture: "/a.jpg" });
  });

  it("does not let an old transition undo a newer one", () => {
    const merged = merge(
      [event("a", { updated_utc: 300, state: "closed" })],
      [event("a", { updated_utc: 200 })],
    );
    expect(merged[0]?.state).toBe("closed");
  });

  it("applies the list's filters", () => {
    const filters = { ...NO_FILTERS, type: ["crowding"], hours: 1 };
    expect(matches(event("a"), filters, 100)).toBe(false);
    expect(matches(event("a", { type: "crowding" }), filters, 100)).toBe(true);
    expect(matches(event("a", { type: "crowding" }), filters, 3701)).toBe(false);
    expect(matches(event("a", { state: "closed" }), { ...NO_FILTERS, hours: 0, state: "open" })).toBe(false);
  });
});
