import { describe, expect, it } from "vitest";
import { Atlas, groupsAt } from "./groups";
import {
  gridsOf,
  hoursNotWatched,
  type MapCamera,
  type MapCase,
  type MapFilters,
  type OpenEvents,
  placesOf,
} from "./places";

const ANY: MapFilters = { department: [], type: [], state: [], busy: false };

function camera(id: string, lon: number | null, more: Partial<MapCamera> = {}): MapCamera {
  return { id, name: id, department: "traffic", grid: "", lon, lat: lon === null ? null : 31.2, ...more };
}
function events(of: string, type = "litter", count = 1): OpenEvents {
  return { camera: of, department: "traffic", type, count, severity: "minor", newest: "e", since_utc: 1 };
}
function oneCase(id: number, of: string, position: MapCase["position"] = null, late = false): MapCase {
  const types = ["litter"];
  const status = "filed" as const;
  return {
    id,
    category: "1",
    status,
    camera: of,
    department: "traffic",
    address: "",
    late,
    place: "p",
    position,
    types,
  };
}

const DATA = {
  cameras: [
    camera("a", 121.4),
    camera("b", 121.4),
    camera("c", 121.9, { department: "grid" }),
    camera("d", null),
  ],
  stateOf: (id: string) => (id === "b" ? "offline" : "running"),
  events: [events("a", "litter", 2), events("a", "crowding"), events("d"), events("gone")],
  cases: [
    oneCase(1, "a", { lon: 121.4, lat: 31.2 }, true),
    oneCase(2, "hidden", { lon: 121.5, lat: 31.3 }),
    oneCase(3, ""),
  ],
};
const ids = (places: { id: string }[]) => places.map(({ id }) => id);

describe("hoursNotWatched", () => {
  const hours = { a: 1, b: 2, c: 4, elsewhere: 8 };
  const of = (filters: Partial<MapFilters>) => hoursNotWatched(DATA, { ...ANY, ...filters }, hours);

  it("is of the cameras that count", () => {
    expect(of({})).toBe(7);
    expect(of({ department: ["traffic"] })).toBe(3);
    expect(of({ state: ["offline"] })).toBe(2);
  });

  it("takes in cameras at which nothing is open: nobody watching is not calm", () => {
    expect(of({ busy: true })).toBe(7);
  });
});

describe("placesOf", () => {
  it("leaves nothing out: what has no place on the map is listed apart", () => {
    const { placed, unplaced } = placesOf(DATA, ANY, "wgs84");
    expect(ids(placed)).toEqual(["a", "b", "c", "hidden"]);
    expect(ids(unplaced)).toEqual(["d", "gone", "case-3"]);
    const all = [...placed, ...unplaced];
    expect(all.flatMap((one) => one.events)).toHaveLength(4);
    expect(all.flatMap((one) => one.cases)).toHaveLength(3);
  });

  it("filters by department, state, type and what is open", () => {
    const only = (filters: Partial<MapFilters>) => {
      const { placed, unplaced } = placesOf(DATA, { ...ANY, ...filters }, "wgs84");
      return ids([...placed, ...unplaced]);
    };
    expect(only({ department: ["grid"] })).toEqual(["c"]);
    expect(only({ state: ["offline"] })).toEqual(["b"]);
    expect(only({ busy: true })).toEqual(["a", "hidden", "d", "gone", "case-3"]);
    expect(only({ busy: true, type: ["crowding"] })).toEqual(["a"]);
    const [a] = placesOf(DATA, { ...ANY, type: ["crowding"] }, "wgs84").placed;
    expect(a?.events.map(({ type }) => type)).toEqual(["crowding"]);
    expect(a?.cases).toEqual([]);
  });

  it("knows grids by the cameras around them", () => {
    const grid = [121.1, 121.2, 121.3].map((lon, n) =>
      camera(`g${n}`, lon, { grid: "G1", lat: 31 + (n % 2) }),
    );
    const found = gridsOf(
      [...grid, camera("x", 121, { grid: "G2" }), camera("y", null, { grid: "G1" })],
      "wgs84",
    );
    expect(found.map(({ name, corners }) => [name, corners.length])).toEqual([["G1", 3]]);
  });
});

describe("groups", () => {
  it("counts everything once at every level", () => {
    const { placed } = placesOf(DATA, ANY, "wgs84");
    for (let level = 2; level <= 20; level++) {
      const groups = groupsAt(placed, level);
      expect(groups.flatMap((group) => group.places)).toHaveLength(placed.length);
      const litter = groups.reduce((sum, group) => sum + (group.events.get("litter") ?? 0), 0);
      expect(litter).toBe(2);
      expect(groups.reduce((sum, group) => sum + group.late, 0)).toBe(1);
    }
  });

  it("keeps cameras on one pole together, and takes apart what is apart", () => {
    const { placed } = placesOf(DATA, ANY, "wgs84");
    const nearest = groupsAt(placed, 20);
    expect(nearest.map((group) => ids(group.places)).sort()).toEqual([["a", "b"], ["c"], ["hidden"]]);
    expect(groupsAt(placed, 2)).toHaveLength(1);
    expect([...(nearest[0]?.states ?? [])]).toEqual([
      ["running", 1],
      ["offline", 1],
    ]);
  });

  it("makes each level once", () => {
    const atlas = new Atlas(placesOf(DATA, ANY, "wgs84").placed);
    expect(atlas.at(11.2)).toBe(atlas.at(11.8));
    expect(atlas.at(11)).not.toBe(atlas.at(12));
  });
});
