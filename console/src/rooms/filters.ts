import { type EventFilters, NO_FILTERS, type Severity } from "../api/queries";

export const TYPES = ["illegal_parking", "crowding", "waterlogging", "litter", "camera_health"];
export const SEVERITIES: Severity[] = ["info", "minor", "major", "critical"];
export const WINDOWS = [1, 24, 168, 720, 0];

const LISTS = ["type", "camera", "department", "zone", "severity"] as const;

/** The filters as the page's address says; what it does not say is at its default. */
export function readFilters(params: URLSearchParams): EventFilters {
  const hours = Number(params.get("hours") ?? NO_FILTERS.hours);
  const state = params.get("state");
  return {
    type: params.getAll("type"),
    camera: params.getAll("camera"),
    department: params.getAll("department"),
    zone: params.getAll("zone"),
    severity: params.getAll("severity").filter((s): s is Severity => SEVERITIES.includes(s as Severity)),
    state: state === "open" || state === "closed" ? state : null,
    hours: WINDOWS.includes(hours) ? hours : NO_FILTERS.hours,
  };
}

export function writeFilters(filters: EventFilters): URLSearchParams {
  const params = new URLSearchParams();
  for (const key of LISTS) for (const value of filters[key]) params.append(key, value);
  if (filters.state) params.set("state", filters.state);
  if (filters.hours !== NO_FILTERS.hours) params.set("hours", String(filters.hours));
  return params;
}
