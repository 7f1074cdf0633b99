import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { call, type Schemas } from "./client";

export type CurrentShift = Schemas["CurrentShift"];
export type Shift = Schemas["Shift"];
export type Handover = Schemas["Handover"];
export type Snapshot = Schemas["Snapshot"];
export type Mark = Schemas["HandedCase"]["marks"][number];

const PAGE = 30;
const SHIFTS = ["shifts"];

export function useCurrentShift() {
  return useQuery({
    queryKey: [...SHIFTS, "current"],
    queryFn: () => call("get", "/api/shifts/current"),
    refetchInterval: 5_000,
  });
}

/** What a handover would say now; `until`: the end of the next shift, s since 1970 UTC. */
export function useDraft(until: number) {
  return useQuery({
    queryKey: [...SHIFTS, "draft", until],
    queryFn: () => call("get", "/api/shifts/draft", { query: { until } }),
    refetchInterval: 15_000,
    placeholderData: (previous) => previous,
  });
}

export function useHandover(number: number) {
  return useQuery({
    queryKey: [...SHIFTS, "handover", number],
    queryFn: () => call("get", "/api/shifts/handovers/{number}", { path: { number } }),
    refetchInterval: 5_000,
  });
}

export function useHandovers() {
  return useInfiniteQuery({
    queryKey: [...SHIFTS, "handovers"],
    queryFn: ({ pageParam }) =>
      call("get", "/api/shifts/handovers", { query: { before: pageParam, limit: PAGE } }),
    initialPageParam: undefined as number | undefined,
    getNextPageParam: (page) => page.next_before ?? undefined,
    refetchInterval: 15_000,
  });
}

/** Does one thing to the shift; whatever came of it, how things stand is asked anew. */
function useChange<T>(change: (asked: T) => Promise<unknown>, failed?: (error: Error) => void) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: change,
    onError: (error) => failed?.(error),
    onSettled: () => client.invalidateQueries({ queryKey: SHIFTS }),
  });
}

export function useBegin() {
  return useChange((until_utc: number) => call("post", "/api/shifts", { body: { until_utc } }));
}

export function useSign(shift: number) {
  return useChange((body: Schemas["HandoverBody"]) =>
    call("post", "/api/shifts/{number}/handover", { path: { number: shift }, body }),
  );
}

export function useRelieve(shift: number) {
  return useChange((body: Schemas["ReliefBody"]) =>
    call("post", "/api/shifts/{number}/relief", { path: { number: shift }, body }),
  );
}

/** `failed` is told also where what it was said to is gone from the page by then. */
export function useAnswer(handover: number, failed: (error: Error) => void) {
  return useChange(
    (body: Schemas["AnswerBody"]) =>
      call("post", "/api/shifts/handovers/{number}/answer", { path: { number: handover }, body }),
    failed,
  );
}
