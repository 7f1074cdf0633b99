/** Web Mercator. The world is a square: x 0..1 from west to east, y 0..1 from north to south. */
export interface World {
  x: number;
  y: number;
}

/** WGS 84 (or GCJ-02, where a map is shifted), degrees. */
export interface LonLat {
  lon: number;
  lat: number;
}

const MAX_LAT = 85.05112877980659;
const EQUATOR_M = 40_075_016.68557849;
const RADIANS = Math.PI / 180;

/** Where a place lies; what is nearer to a pole than the map goes lies on its edge. */
export function project({ lon, lat }: LonLat): World {
  const phi = Math.max(-MAX_LAT, Math.min(MAX_LAT, lat)) * RADIANS;
  return { x: lon / 360 + 0.5, y: 0.5 - Math.asinh(Math.tan(phi)) / (2 * Math.PI) };
}

export function unproject({ x, y }: World): LonLat {
  return { lon: (x - 0.5) * 360, lat: Math.atan(Math.sinh((0.5 - y) * 2 * Math.PI)) / RADIANS };
}

/** Metres on the ground that one world width stands for at a latitude. */
export function metresPerWorld(lat: number): number {
  return EQUATOR_M * Math.cos(lat * RADIANS);
}

/** The longest of 1, 2, 5 × 10ⁿ metres that takes at most `most` pixels. */
export function scaleBar(metresPerPixel: number, most: number): { metres: number; pixels: number } {
  const limit = metresPerPixel * most;
  const power = 10 ** Math.floor(Math.log10(limit));
  const metres = [5, 2, 1].map((n) => n * power).find((n) => n <= limit) ?? power;
  return { metres, pixels: metres / metresPerPixel };
}

const STEPS = [
  45, 30, 15, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0005, 0.0002, 0.0001,
];

/** Degrees between two lines of the graticule: the finest step that leaves at least `least` pixels. */
export function graticuleStep(pixelsPerDegree: number, least: number): number {
  return STEPS.findLast((step) => step * pixelsPerDegree >= least) ?? (STEPS[0] as number);
}
