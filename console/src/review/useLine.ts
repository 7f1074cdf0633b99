import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { call, type EventDetail } from "../api/client";
import type { EventFilters } from "../api/queries";
import { useReviewQueue } from "../api/review";
import { mediaOf } from "../rooms/EventMedia";
import { EMPTY, following, type Line, refreshed } from "./line";

const AHEAD = 4;

/** The line of events to be judged, kept current with the server; the next ones and their pictures are fetched ahead. */
export function useLine(filters: EventFilters) {
  const [line, setLine] = useState<Line>(EMPTY);
  const { data, error, isPending, refetch, dataUpdatedAt } = useReviewQueue(filters);
  // biome-ignore lint/correctness/useExhaustiveDependencies: an answer counts also where it says the same again
  useEffect(() => {
    if (data) setLine((known) => refreshed(known, data.events, data.more));
  }, [data, dataUpdatedAt]);

  const short = data?.more === true && line.upcoming.length < 20;
  useEffect(() => {
    if (short) void refetch();
  }, [short, refetch]);

  usePreloaded(following(line, AHEAD).map((one) => one.id));
  return { line, setLine, error, isPending, refetch };
}

/** The event itself, and the picture that is shown first of it, before anybody asks for them. */
function usePreloaded(ids: readonly string[]): void {
  const queries = useQueryClient();
  const held = useRef(new Map<string, HTMLImageElement>());
  const wanted = ids.join(" ");
  useEffect(() => {
    for (const id of wanted.split(" ").filter(Boolean)) {
      void queries
        .ensureQueryData<EventDetail>({
          queryKey: ["event", id],
          queryFn: () => call("get", "/api/events/{event_id}", { path: { event_id: id } }),
        })
        .then((event) => {
          const first = mediaOf(event).find((one) => one.stored && !one.deleted_utc && one.role !== "clip");
          if (!first || held.current.has(id)) return;
          const image = new Image();
          image.src = first.url;
          held.current.set(id, image); // until it is shown: what nobody holds may be dropped
          while (held.current.size > 4 * AHEAD) held.current.delete(held.current.keys().next().value ?? "");
        })
        .catch(() => undefined); // it is asked for again when it is shown, and the error told there
    }
  }, [wanted, queries]);
}
