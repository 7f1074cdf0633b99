import { describe, expect, it } from "vitest";
import { readFilters, readView, withFilters, writtenView } from "./address";
import { project } from "./mercator";
import { tilesOf } from "./tiles";
import { fitted, MAX_ZOOM, MIN_ZOOM, moved, NOWHERE, toScreen, toWorld, type View, zoomed } from "./view";

const SIZE = [1000, 600] as const;
const VIEW: View = { ...project({ lon: 121.47, lat: 31.23 }), zoom: 12.3 };

describe("view", () => {
  it("maps the screen to the world and back", () => {
    expect(toScreen(VIEW, SIZE, VIEW)).toEqual({ x: 500, y: 300 });
    const back = toScreen(VIEW, SIZE, toWorld(VIEW, SIZE, { x: 17, y: 590 }));
    expect(back.x).toBeCloseTo(17, 6);
    expect(back.y).toBeCloseTo(590, 6);
  });

  it("moves with the hand", () => {
    const held = toWorld(VIEW, SIZE, { x: 200, y: 200 });
    const after = toScreen(moved(VIEW, 30, -12), SIZE, held);
    expect(after.x).toBeCloseTo(230, 5);
    expect(after.y).toBeCloseTo(188, 5);
  });

  it("zooms around the point that is pointed at, and no further than it goes", () => {
    const point = { x: 900, y: 40 };
    const held = toWorld(VIEW, SIZE, point);
    const after = toScreen(zoomed(VIEW, SIZE, point, 1.7), SIZE, held);
    expect(after.x).toBeCloseTo(900, 5);
    expect(after.y).toBeCloseTo(40, 5);
    expect(zoomed(VIEW, SIZE, point, 99).zoom).toBe(MAX_ZOOM);
    expect(zoomed(VIEW, SIZE, point, -99).zoom).toBe(MIN_ZOOM);
  });

  it("shows all of what there is, with a margin", () => {
    const places = [
      { lon: 121.2, lat: 31.0 },
      { lon: 121.9, lat: 31.5 },
    ].map(project);
    const view = fitted(places, SIZE);
    for (const place of places) {
      const { x, y } = toScreen(view, SIZE, place);
      expect(Math.min(x, 1000 - x)).toBeGreaterThanOrEqual(60 - 1e-6);
      expect(Math.min(y, 600 - y)).toBeGreaterThanOrEqual(60 - 1e-6);
    }
    expect(fitted(places.slice(1), SIZE).zoom).toBe(16);
    expect(fitted([], SIZE)).toEqual(NOWHERE);
  });

  it("asks for the tiles on screen and no others", () => {
    const tiles = tilesOf({ x: 0.5, y: 0.5, zoom: 3 }, [512, 256]);
    expect(tiles).toHaveLength(6); // three columns (the middle line lies between two tiles) × two rows
    expect(tiles.every(({ z }) => z === 3)).toBe(true);
    expect(tilesOf({ x: 0, y: 0, zoom: 2 }, [4000, 4000])).toHaveLength(16);
  });
});

describe("address", () => {
  it("keeps filters and view, each beside the other", () => {
    const params = new URLSearchParams("at=31.23,121.47,12.3&department=traffic&state=offline&busy=true");
    const filters = readFilters(params);
    expect(filters).toEqual({ department: ["traffic"], type: [], state: ["offline"], busy: true });
    const next = withFilters(params, { ...filters, type: ["litter"], busy: false });
    expect(next.toString()).toBe("at=31.23%2C121.47%2C12.3&department=traffic&type=litter&state=offline");
  });

  it("writes the view as a place of WGS 84, whatever the ground is shifted by", () => {
    for (const datum of ["wgs84", "gcj02"] as const) {
      const view = readView(new URLSearchParams("at=31.23000,121.47000,12.30"), datum);
      expect(view).not.toBeNull();
      expect(writtenView(view as View, datum)).toBe("31.23000,121.47000,12.30");
    }
    const shifted = readView(new URLSearchParams("at=31.23,121.47,12"), "gcj02");
    expect(shifted?.x).not.toBeCloseTo(VIEW.x, 7);
  });

  it("takes nothing for a view that is none", () => {
    for (const text of ["", "1,2", "a,b,c", "91,0,3", "0,181,3", "1,2,3,4"]) {
      expect(readView(new URLSearchParams({ at: text }), "wgs84")).toBeNull();
    }
  });
});
