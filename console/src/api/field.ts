import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { call, type Schemas } from "./client";

/** What waits for one's department, the soonest due first; or what it has reported as done. */
export function useFieldCases(which: "waiting" | "reported", crew: string) {
  return useQuery({
    queryKey: ["field", "cases", which, crew],
    queryFn: () => call("get", "/api/field/cases", { query: { which, crew } }),
    refetchInterval: 10_000,
    placeholderData: keepPreviousData,
  });
}

/** Where a case is, and the way there. */
export function useFieldCase(number: number) {
  return useQuery({
    queryKey: ["field", "case", number],
    queryFn: () => call("get", "/api/field/cases/{number}", { path: { number } }),
    staleTime: 60_000,
  });
}

/** 处置: the department's people are at it. */
export function useStart(number: number, revision: number) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () =>
      call("post", "/api/cases/{number}/actions", {
        path: { number },
        body: { action: "start", revision, facts: {} as Schemas["Facts"] },
      }),
    onSuccess: (fresh) => queries.setQueryData(["case", number], fresh),
    onSettled: () => queries.invalidateQueries({ queryKey: ["field"] }),
  });
}
