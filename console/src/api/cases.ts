import {
  keepPreviousData,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";
import { ApiError, type CaseDetail, call, type Schemas, upload } from "./client";

export interface CaseFilters {
  state: string[];
  category: string[];
  owner: string[];
  grid: string[];
  source: string[];
  late: boolean | undefined;
  incident: number | undefined;
  order: "newest" | "due";
}

const PAGE = 50;

export function useCases(filters: CaseFilters) {
  return useInfiniteQuery({
    queryKey: ["cases", filters],
    initialPageParam: undefined as number | undefined,
    queryFn: ({ pageParam }) =>
      call("get", "/api/cases", {
        query: {
          ...filters,
          state: filters.state as Schemas["Status"][],
          after: pageParam,
          limit: PAGE,
        },
      }),
    getNextPageParam: (page) => page.next_after ?? undefined,
    refetchInterval: 5_000,
    placeholderData: keepPreviousData,
  });
}

export function useCase(number: number) {
  return useQuery({
    queryKey: ["case", number],
    queryFn: () => call("get", "/api/cases/{number}", { path: { number } }),
    refetchInterval: 3_000,
  });
}

/** An event behind a case, masked; null once the case is over. */
export function useCaseEvent(number: number, id: string | undefined) {
  return useQuery({
    queryKey: ["case", number, "event", id],
    enabled: id !== undefined,
    queryFn: async () => {
      try {
        return await call("get", "/api/cases/{number}/events/{event_id}", {
          path: { number, event_id: id ?? "" },
        });
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return null;
        throw error;
      }
    },
    staleTime: 60_000,
  });
}

/** Categories, words, and what each action needs; it changes with the installation only. */
export function useCaseBook() {
  return useQuery({
    queryKey: ["case-book"],
    queryFn: () => call("get", "/api/cases/book"),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** A mass incident: how many of its cases stand where, and what whoever asks can do to all of them. */
export function useIncident(incident: number) {
  return useQuery({
    queryKey: ["cases", "incident", incident],
    queryFn: () => call("get", "/api/incidents/{number}", { path: { number: incident } }),
    refetchInterval: 5_000,
  });
}

/** What is to be done, with pictures that are still to be sent. */
export interface Asked {
  action: Schemas["Action"];
  facts: Partial<Schemas["Facts"]>;
  files: File[];
}

/** Does something to every case of a mass incident that allows it, or to none. */
export function useIncidentAction(number: number) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ action, facts }: Asked) =>
      call("post", "/api/incidents/{number}/actions", {
        path: { number },
        body: { action, facts: facts as Schemas["Facts"] },
      }),
    onSettled: () => client.invalidateQueries({ queryKey: ["cases"] }),
  });
}

/** Opens a case by hand, or for a call to the hotline. */
export function useNewCase() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas["NewCaseBody"]) => call("post", "/api/cases", { body }),
    onSuccess: () => client.invalidateQueries({ queryKey: ["cases"] }),
  });
}

/** Does something to a case; pictures are sent first. */
export function useCaseAction(detail: CaseDetail) {
  const client = useQueryClient();
  const number = detail.case.id;
  return useMutation({
    mutationFn: async (asked: Asked) => {
      const pictures: string[] = [];
      for (const file of asked.files) {
        const kept = await upload<Schemas["PictureOut"]>(`/api/cases/${number}/pictures`, file);
        pictures.push(kept.key);
      }
      return call("post", "/api/cases/{number}/actions", {
        path: { number },
        body: {
          action: asked.action,
          revision: detail.case.revision,
          facts: { ...asked.facts, pictures } as Schemas["Facts"],
        },
      });
    },
    onSuccess: (fresh) => client.setQueryData(["case", number], fresh),
    onSettled: () => client.invalidateQueries({ queryKey: ["cases"] }),
  });
}
