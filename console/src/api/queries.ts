import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { call, type Schemas } from "./client";

export type Severity = Schemas["Severity"];

/** The filters of the event list, as they stand in the page's address. */
export interface EventFilters {
  type: string[];
  camera: string[];
  department: string[];
  zone: string[];
  severity: Severity[];
  state: "open" | "closed" | null;
  /** hours back from now; 0: all time */
  hours: number;
}

export const NO_FILTERS: EventFilters = {
  type: [],
  camera: [],
  department: [],
  zone: [],
  severity: [],
  state: null,
  hours: 24,
};

const PAGE = 50;

/** The start of a window that ends now, rounded to the minute so that it does not change with every render. */
export function sinceOf(hours: number): number | undefined {
  return hours > 0 ? Math.floor(Date.now() / 60_000) * 60 - hours * 3600 : undefined;
}

/** Which cameras, and which page of them; see `GET /api/cameras`. */
export interface CameraQuery {
  id?: string[];
  q?: string;
  department?: string[];
  state?: string[];
  sort?: "pool" | "worst";
  page?: number;
  limit?: number;
}

/** One page of cameras with their live state; `once`: not asked again every few seconds. */
export function useCameras(which: CameraQuery, { once = false, enabled = true } = {}) {
  return useQuery({
    queryKey: ["cameras", which],
    queryFn: () => call("get", "/api/cameras", { query: which }),
    refetchInterval: once ? false : 5_000,
    placeholderData: keepPreviousData,
    enabled,
  });
}

/** The whole pool in numbers: by state and by department. */
export function useTallies() {
  return useQuery({
    queryKey: ["camera-tallies"],
    queryFn: () => call("get", "/api/cameras/tallies"),
    refetchInterval: 5_000,
    placeholderData: keepPreviousData,
  });
}

export function useCamera(id: string, enabled = true) {
  return useQuery({
    queryKey: ["camera", id],
    queryFn: () => call("get", "/api/cameras/{camera_id}", { path: { camera_id: id } }),
    enabled,
    refetchInterval: 5_000,
  });
}

function eventQuery(filters: EventFilters) {
  return {
    type: filters.type,
    camera: filters.camera,
    department: filters.department,
    zone: filters.zone,
    severity: filters.severity,
    state: filters.state ?? undefined,
    since: sinceOf(filters.hours),
  };
}

export function useEvents(filters: EventFilters, limit = PAGE) {
  return useInfiniteQuery({
    queryKey: ["events", filters, limit],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam }) =>
      call("get", "/api/events", { query: { ...eventQuery(filters), cursor: pageParam, limit } }),
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    placeholderData: keepPreviousData,
  });
}

export function useEventCounts(filters: EventFilters) {
  return useQuery({
    queryKey: ["event-counts", filters],
    queryFn: () => call("get", "/api/events/counts", { query: eventQuery(filters) }),
    refetchInterval: 60_000,
    placeholderData: keepPreviousData,
  });
}

export function useEvent(id: string) {
  return useQuery({
    queryKey: ["event", id],
    queryFn: () => call("get", "/api/events/{event_id}", { path: { event_id: id } }),
  });
}

/** Why an event came, or why none came, around a moment of one camera. */
export function useExplanation(
  camera: string,
  asked: { at: number; type: string; zone: string | undefined; window: number },
) {
  return useQuery({
    queryKey: ["explain", camera, asked],
    queryFn: () =>
      call("get", "/api/cameras/{camera_id}/explain", {
        path: { camera_id: camera },
        query: { ...asked, utc_offset: -new Date(asked.at * 1000).getTimezoneOffset() },
      }),
    enabled: asked.type !== "",
    placeholderData: keepPreviousData,
  });
}

/** Zones that the camera's own tracks suggest, or its zones where they would fit after it has moved. */
export function useZoneProposals(camera: string, enabled: boolean) {
  return useQuery({
    queryKey: ["zone-proposals", camera],
    queryFn: () => call("get", "/api/cameras/{camera_id}/zone-proposals", { path: { camera_id: camera } }),
    refetchInterval: 60_000,
    enabled,
  });
}

export function useUnwatched(hours: number, camera?: string) {
  return useQuery({
    queryKey: ["unwatched", hours, camera],
    queryFn: () =>
      call("get", "/api/unwatched", {
        query: { since: sinceOf(hours), camera: camera ? [camera] : undefined },
      }),
    refetchInterval: 30_000,
  });
}
