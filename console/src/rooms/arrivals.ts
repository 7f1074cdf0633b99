import type { EventSummary } from "../api/client";
import type { EventFilters } from "../api/queries";

/** Joins what was read with what arrived since: one entry an event (the newer one), newest start first. */
export function merge(read: readonly EventSummary[], arrived: readonly EventSummary[]): EventSummary[] {
  const byId = new Map<string, EventSummary>();
  for (const event of [...read, ...arrived]) {
    const known = byId.get(event.id);
    if (!known) byId.set(event.id, event);
    else if (event.updated_utc >= known.updated_utc) byId.set(event.id, keepPictures(event, known));
  }
  return [...byId.values()].sort((a, b) => b.started_utc - a.started_utc || (a.id < b.id ? 1 : -1));
}

/** A transition carries the evidence that is new with it; what was there before stays. */
function keepPictures(event: EventSummary, known: EventSummary): EventSummary {
  return { ...event, picture: event.picture ?? known.picture, has_clip: event.has_clip || known.has_clip };
}

/** Whether an event that arrives belongs into a list with these filters. */
export function matches(event: EventSummary, filters: EventFilters, now = Date.now() / 1000): boolean {
  const among = (wanted: readonly string[], value: string) => wanted.length === 0 || wanted.includes(value);
  return (
    among(filters.type, event.type) &&
    among(filters.camera, event.camera) &&
    among(filters.department, event.department) &&
    among(filters.zone, event.zone) &&
    among(filters.severity, event.severity) &&
    (filters.state === null || filters.state === event.state) &&
    (filters.hours === 0 || event.started_utc >= now - filters.hours * 3600)
  );
}
