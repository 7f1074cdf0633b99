import { keepPreviousData, useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { call, type Schemas } from "./client";

export type Subscription = Schemas["Subscription"];
export type DeliveryState = Schemas["State"];

const SUBSCRIPTIONS = ["subscriptions"];
const PAGE = 50;

export function useSubscriptions(enabled = true) {
  return useQuery({
    queryKey: SUBSCRIPTIONS,
    queryFn: () => call("get", "/api/subscriptions"),
    refetchInterval: 15_000,
    enabled,
  });
}

export function useSubscription(number: number) {
  return useQuery({
    queryKey: [...SUBSCRIPTIONS, number],
    queryFn: () => call("get", "/api/subscriptions/{number}", { path: { number } }),
    refetchInterval: 5_000,
  });
}

/** The log, newest first; `state` null: all. */
export function useDeliveries(number: number, state: DeliveryState | null) {
  return useInfiniteQuery({
    queryKey: [...SUBSCRIPTIONS, number, "deliveries", state],
    queryFn: ({ pageParam }) =>
      call("get", "/api/subscriptions/{number}/deliveries", {
        path: { number },
        query: { state: state ? [state] : undefined, before: pageParam, limit: PAGE },
      }),
    initialPageParam: undefined as number | undefined,
    getNextPageParam: (page) => page.next_before ?? undefined,
    placeholderData: keepPreviousData,
    refetchInterval: 5_000,
  });
}

/** Each attempt of one delivery; null: the newest of all, tests among them. */
export function useAttempts(number: number, delivery: string | null) {
  return useQuery({
    queryKey: [...SUBSCRIPTIONS, number, "attempts", delivery],
    queryFn: () =>
      call("get", "/api/subscriptions/{number}/attempts", {
        path: { number },
        query: { delivery: delivery ?? undefined, limit: 20 },
      }),
  });
}

/** Reads everything about subscriptions again. */
export function useReread(): () => Promise<void> {
  const queries = useQueryClient();
  return () => queries.invalidateQueries({ queryKey: SUBSCRIPTIONS });
}
