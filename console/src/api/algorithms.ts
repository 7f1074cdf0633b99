import { useQuery } from "@tanstack/react-query";
import { call, type Schemas } from "./client";

export type AlgorithmVersion = Schemas["AlgorithmVersion"];
export type LedgerLine = Schemas["LedgerLine"];

/** Every version of every algorithm, the newest first. */
export function useVersions() {
  return useQuery({
    queryKey: ["algorithms"],
    queryFn: () => call("get", "/api/algorithms"),
    refetchInterval: 15_000,
  });
}

/** What was done with the versions of an algorithm, the oldest first. */
export function useLedger(algorithm: string) {
  return useQuery({
    queryKey: ["algorithms", "ledger", algorithm],
    queryFn: () => call("get", "/api/algorithms/ledger", { query: { algorithm } }),
  });
}
