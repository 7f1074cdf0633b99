import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { useRights } from "./access";
import { call } from "./client";
import { useEventStream } from "./stream";

const CAMERAS = ["map", "cameras"];
const EVENTS = ["map", "events"];
const CASES = ["map", "cases"];
const GATHER_MS = 1_000;

/** Everything a map shows, kept current: states every few seconds, what goes on as soon as the stream tells of it.
 * Hours not watched are those of rules of these event types, all where none is named. */
export function useMapData(types: readonly string[]) {
  const client = useQueryClient();
  const may = useRights();
  const cameras = useQuery({
    queryKey: CAMERAS,
    queryFn: () => call("get", "/api/map/cameras"),
    staleTime: Number.POSITIVE_INFINITY,
    refetchInterval: 300_000,
  });
  const states = useQuery({
    queryKey: ["map", "states"],
    queryFn: () => call("get", "/api/map/states"),
    refetchInterval: 5_000,
    placeholderData: keepPreviousData,
  });
  const events = useQuery({
    queryKey: EVENTS,
    queryFn: () => call("get", "/api/map/events"),
    refetchInterval: 30_000,
  });
  const cases = useQuery({
    queryKey: CASES,
    queryFn: () => call("get", "/api/map/cases"),
    refetchInterval: 15_000,
    enabled: may("dispatch", "handle"),
  });
  const unwatched = useQuery({
    queryKey: ["map", "unwatched", types],
    queryFn: () => call("get", "/api/map/unwatched", { query: { type: [...types] } }),
    refetchInterval: 60_000,
    placeholderData: keepPreviousData,
  });

  const revision = states.data?.revision;
  const known = cameras.data?.revision;
  useEffect(() => {
    if (known !== undefined && revision !== undefined && revision > known) {
      void client.invalidateQueries({ queryKey: CAMERAS });
    }
  }, [client, revision, known]);

  // A rainstorm tells of many events at once: they are asked for together.
  const waiting = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const connected = useEventStream(() => {
    waiting.current ??= setTimeout(() => {
      waiting.current = undefined;
      void client.invalidateQueries({ queryKey: EVENTS });
      void client.invalidateQueries({ queryKey: CASES }); // an event is a case in the same transaction
    }, GATHER_MS);
  });
  useEffect(() => () => clearTimeout(waiting.current), []);

  return { cameras, states, events, cases, unwatched, connected };
}
