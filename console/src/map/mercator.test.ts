import { describe, expect, it } from "vitest";
import { fromGcj, toGcj } from "./datum";
import { convexHull } from "./hull";
import { graticuleStep, metresPerWorld, project, scaleBar, unproject } from "./mercator";

describe("Web Mercator", () => {
  it("puts places where tile servers do", () => {
    // By the formula of the tile servers: (1 − ln(tan φ + sec φ) / π) / 2.
    const at = project({ lon: 121.4737, lat: 31.2304 });
    expect(Math.floor(at.x * 2 ** 16)).toBe(54881);
    expect(Math.floor(at.y * 2 ** 16)).toBe(26778);
    expect(project({ lon: 0, lat: 0 })).toEqual({ x: 0.5, y: 0.5 });
    expect(project({ lon: -180, lat: 85.05112877980659 }).y).toBeCloseTo(0, 9);
  });

  it("goes there and back", () => {
    for (let lat = -85; lat <= 85; lat += 8.5) {
      for (let lon = -180; lon <= 180; lon += 22.5) {
        const back = unproject(project({ lon, lat }));
        expect(back.lon).toBeCloseTo(lon, 9);
        expect(back.lat).toBeCloseTo(lat, 9);
      }
    }
    expect(project({ lon: 0, lat: 90 }).y).toBeCloseTo(0, 9);
  });

  it("knows how long things are", () => {
    expect(metresPerWorld(0)).toBeCloseTo(40_075_016.7, 0);
    expect(metresPerWorld(60) / metresPerWorld(0)).toBeCloseTo(0.5, 9);
    expect(scaleBar(1, 140)).toEqual({ metres: 100, pixels: 100 });
    expect(scaleBar(37, 140).metres).toBe(5000);
    for (let m = 0.01; m < 1e5; m *= 1.7) {
      const { metres, pixels } = scaleBar(m, 140);
      expect(pixels).toBeLessThanOrEqual(140 + 1e-9);
      expect(pixels).toBeGreaterThan(140 / 2.6);
      expect(metres / m).toBeCloseTo(pixels, 6);
    }
  });

  it("draws the finest lines that leave room", () => {
    expect(graticuleStep(1, 120)).toBe(45);
    expect(graticuleStep(120, 120)).toBe(1);
    expect(graticuleStep(1e9, 120)).toBe(0.0001);
    expect(graticuleStep(60, 120)).toBe(2);
  });
});

describe("GCJ-02", () => {
  // As the published implementations have it, among them eviltransform's own tests.
  const known: [number, number, number, number][] = [
    [31.1774276, 121.5272106, 31.17530398364597, 121.531541859215],
    [22.543847, 113.912316, 22.540796131694766, 113.9171764808363],
    [39.911954, 116.377817, 39.91334545536069, 116.38404722455657],
  ];
  it("shifts places of China as maps made there do", () => {
    for (const [lat, lon, shiftedLat, shiftedLon] of known) {
      const made = toGcj({ lon, lat });
      expect(made.lat).toBeCloseTo(shiftedLat, 6);
      expect(made.lon).toBeCloseTo(shiftedLon, 6);
      const back = fromGcj(made);
      expect(back.lat).toBeCloseTo(lat, 8);
      expect(back.lon).toBeCloseTo(lon, 8);
    }
  });

  it("leaves the rest of the world where it is", () => {
    const paris = { lon: 2.3522, lat: 48.8566 };
    expect(toGcj(paris)).toEqual(paris);
    expect(fromGcj(paris)).toEqual(paris);
  });
});

describe("convexHull", () => {
  it("goes around the outermost points", () => {
    const square = [
      { x: 0, y: 0 },
      { x: 1, y: 0 },
      { x: 1, y: 1 },
      { x: 0, y: 1 },
    ];
    const hull = convexHull([...square, { x: 0.5, y: 0.5 }, { x: 0.5, y: 0 }, { x: 1, y: 1 }]);
    expect(hull).toHaveLength(4);
    for (const corner of square) expect(hull).toContainEqual(corner);
  });

  it("has no shape where points are too few or in one line", () => {
    expect(convexHull([])).toEqual([]);
    expect(convexHull([{ x: 1, y: 2 }])).toEqual([]);
    expect(
      convexHull([
        { x: 0, y: 0 },
        { x: 1, y: 1 },
        { x: 2, y: 2 },
      ]),
    ).toEqual([]);
  });
});
