import { useQuery, useQueryClient } from "@tanstack/react-query";
import { call, type Schemas } from "./client";

export type CaseSilence = Schemas["HeldBack"];
export type CasesHidden = Schemas["CasesHidden"];
export type Silenced = Required<Schemas["SilencedBody"]>;

const SILENCES = ["case-silences"];

/** Silences of cases, also those that are over, the one that ends last first. */
export function useCaseSilences() {
  return useQuery({
    queryKey: SILENCES,
    queryFn: () => call("get", "/api/case-silences", { query: { over: true } }).then((all) => all.reverse()),
    refetchInterval: 10_000,
  });
}

/** Which events one of them keeps from becoming cases. */
export function useCasesHidden(number: number, events: number) {
  return useQuery({
    queryKey: [...SILENCES, number, "hidden", events],
    queryFn: () => call("get", "/api/case-silences/{number}/hidden", { path: { number } }),
  });
}

/** Which events of the last seven days one would have kept from it. */
export function useCasePreview(wanted: Silenced) {
  return useQuery({
    queryKey: [...SILENCES, "preview", wanted],
    queryFn: () => call("post", "/api/case-silences/preview", { body: wanted }),
    retry: false,
  });
}

/** Reads everything about them again. */
export function useRereadCaseSilences(): () => Promise<void> {
  const queries = useQueryClient();
  return () => queries.invalidateQueries({ queryKey: SILENCES });
}
