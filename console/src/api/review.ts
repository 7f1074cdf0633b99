import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { call, type EventSummary, type Schemas } from "./client";
import { type EventFilters, sinceOf } from "./queries";

export type Why = Schemas["Why"];
export type Verdict = Schemas["VerdictOut"];
export type Rate = Schemas["RateOut"];
export type Said = Schemas["VerdictBody"];
export type MissedBody = Schemas["MissedBody"];

/** Why an alarm was false, in the order of the keys 1, 2, … */
export const WHY: readonly Why[] = [
  "object",
  "place",
  "short",
  "allowed",
  "light",
  "weather",
  "picture",
  "other",
];

/** How many events a page of the queue has: enough for two minutes at full speed. */
export const QUEUE_PAGE = 60;
const AGAIN_MS = 5_000;

/** The newest events that wait for a verdict, asked for again and again: what somebody else judged is gone from it. */
export function useReviewQueue(filters: EventFilters) {
  const { type, camera, hours } = filters;
  return useQuery({
    queryKey: ["review-queue", type, camera, hours],
    queryFn: () => reviewPage({ type, camera, hours }),
    refetchInterval: AGAIN_MS,
    staleTime: 0,
  });
}

async function reviewPage({
  type,
  camera,
  hours,
}: Pick<EventFilters, "type" | "camera" | "hours">): Promise<{ events: EventSummary[]; more: boolean }> {
  const page = await call("get", "/api/review/events", {
    query: { type, camera, since: sinceOf(hours), limit: QUEUE_PAGE },
  });
  return { events: page.events, more: page.next_cursor != null };
}

/** What was said of an event, newest first. */
export function useVerdicts(event: string) {
  return useQuery({
    queryKey: ["verdicts", event],
    queryFn: () => call("get", "/api/events/{event_id}/verdicts", { path: { event_id: event } }),
  });
}

/** How often which rule of which camera is wrong, over the last hours. */
export function useRates(hours: number) {
  return useQuery({
    queryKey: ["rates", hours],
    queryFn: () => call("get", "/api/review/rates", { query: { since: sinceOf(hours) ?? 0 } }),
    placeholderData: keepPreviousData,
  });
}
