import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { call, type Schemas } from "./client";

export type Exchange = Schemas["ExchangeOut"];
export type Reconciled = Schemas["Reconciled"];

const EXCHANGE = ["exchange"];

/** How the exchange with the city's existing platform goes. */
export function useExchange() {
  return useQuery({
    queryKey: EXCHANGE,
    queryFn: () => call("get", "/api/exchange"),
    refetchInterval: 5_000,
  });
}

/** Tells the platform once more how a case stands, which it has refused. */
export function useRetry() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (number: number) => call("post", "/api/exchange/cases/{number}/retry", { path: { number } }),
    onSettled: () => queries.invalidateQueries({ queryKey: EXCHANGE }),
  });
}

/** Holds their list against ours, now; with `repair` does what is safe. */
export function useReconciliation() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (repair: boolean) => call("post", "/api/exchange/reconciliation", { body: { repair } }),
    onSettled: () => queries.invalidateQueries({ queryKey: EXCHANGE }),
  });
}
