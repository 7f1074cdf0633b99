import type { LonLat } from "./mercator";

/** GCJ-02, by which maps made in China are shifted: WGS 84 moved by up to some 700 m, by a formula that has been
 * found out and is the same in every implementation; accurate to about a metre. Outside of China it is WGS 84. */

const A = 6_378_245;
const EE = 0.006_693_421_622_965_943;

function outside({ lon, lat }: LonLat): boolean {
  return lon < 72.004 || lon > 137.8347 || lat < 0.8293 || lat > 55.8271;
}

function waves(v: number, slow: number, slower: number, far: number, farther: number): number {
  const s = (n: number) => Math.sin(n * Math.PI);
  return ((20 * s(v) + 40 * s(v / 3)) * 2 + (slow * s(v / slower) + far * s(v / farther)) * 2) / 3;
}

function shift({ lon, lat }: LonLat): LonLat {
  const x = lon - 105;
  const y = lat - 35;
  const common = ((20 * Math.sin(6 * x * Math.PI) + 20 * Math.sin(2 * x * Math.PI)) * 2) / 3;
  const root = Math.sqrt(Math.abs(x));
  const north =
    -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + common + waves(y, 160, 12, 320, 30);
  const east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + common + waves(x, 150, 12, 300, 30);
  const phi = (lat * Math.PI) / 180;
  const magic = 1 - EE * Math.sin(phi) ** 2;
  return {
    lat: (north * 180) / (((A * (1 - EE)) / magic ** 1.5) * Math.PI),
    lon: (east * 180) / ((A / Math.sqrt(magic)) * Math.cos(phi) * Math.PI),
  };
}

/** Where a place of WGS 84 is drawn on a shifted map. */
export function toGcj(place: LonLat): LonLat {
  if (outside(place)) return place;
  const by = shift(place);
  return { lon: place.lon + by.lon, lat: place.lat + by.lat };
}

/** Back again, to less than a centimetre of what `toGcj` did. */
export function fromGcj(place: LonLat): LonLat {
  let guess = place;
  for (let turn = 0; turn < 5; turn++) {
    const made = toGcj(guess);
    guess = { lon: guess.lon + place.lon - made.lon, lat: guess.lat + place.lat - made.lat };
  }
  return guess;
}
