import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { ApiError, call, type Schemas } from "./client";

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

/** The event behind a case; null where one may not see it. */
export function useFieldEvent(id: string | undefined) {
  return useQuery({
    queryKey: ["field", "event", id],
    enabled: id !== undefined,
    queryFn: async () => {
      try {
        return await call("get", "/api/events/{event_id}", { path: { event_id: id ?? "" } });
      } catch (error) {
        if (error instanceof ApiError && (error.status === 404 || error.status === 403)) return null;
        throw error;
      }
    },
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
