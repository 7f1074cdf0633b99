import { fromGcj, toGcj } from "./datum";
import { project, unproject } from "./mercator";
import type { Datum, MapFilters } from "./places";
import type { View } from "./view";

const LISTS = ["department", "type", "state"] as const;

/** The filters as the page's address says. */
export function readFilters(params: URLSearchParams): MapFilters {
  return {
    department: params.getAll("department"),
    type: params.getAll("type"),
    state: params.getAll("state"),
    busy: params.get("busy") === "true",
  };
}

/** The same address with other filters. */
export function withFilters(params: URLSearchParams, filters: MapFilters): URLSearchParams {
  const next = new URLSearchParams(params);
  for (const key of LISTS) {
    next.delete(key);
    for (const value of filters[key]) next.append(key, value);
  }
  if (filters.busy) next.set("busy", "true");
  else next.delete("busy");
  return next;
}

/** What is shown, as `latitude,longitude,zoom` of WGS 84; null where the address does not say. */
export function readView(params: URLSearchParams, datum: Datum): View | null {
  const numbers = (params.get("at") ?? "").split(",").map(Number);
  const [lat, lon, zoom] = numbers;
  if (numbers.length !== 3 || lat === undefined || lon === undefined || zoom === undefined) return null;
  if (!numbers.every(Number.isFinite) || Math.abs(lat) > 90 || Math.abs(lon) > 180) return null;
  const place = { lon, lat };
  return { ...project(datum === "gcj02" ? toGcj(place) : place), zoom: Math.max(2, Math.min(20, zoom)) };
}

export function writtenView(view: View, datum: Datum): string {
  const place = unproject(view);
  const { lat, lon } = datum === "gcj02" ? fromGcj(place) : place;
  return `${lat.toFixed(5)},${lon.toFixed(5)},${view.zoom.toFixed(2)}`;
}
