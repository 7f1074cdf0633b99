import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { call, type Schemas } from "./client";

export type DatasetVersion = Schemas["DatasetVersion"];
export type DatasetDetail = Schemas["DatasetDetail"];
export type DatasetDifference = Schemas["DatasetDifference"];
export type CountRow = Schemas["CountRow"];
export type ChangedItem = Schemas["ChangedItem"];
export type ChangeKind = "added" | "removed" | "relabelled" | "otherwise";

const DATASETS = ["datasets"];

/** Every version, the newest first. */
export function useDatasets() {
  return useQuery({
    queryKey: [...DATASETS, "list"],
    queryFn: () => call("get", "/api/datasets"),
    refetchInterval: 15_000,
  });
}

/** One version; what it holds never changes. */
export function useDataset(digest: string) {
  return useQuery({
    queryKey: [...DATASETS, "one", digest],
    queryFn: () => call("get", "/api/datasets/{digest}", { path: { digest } }),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** What changed from one version to another. */
export function useDifference(from: string, digest: string) {
  return useQuery({
    queryKey: [...DATASETS, "difference", from, digest],
    queryFn: () => call("get", "/api/datasets/{digest}/difference", { path: { digest }, query: { from } }),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** The pictures that changed in one way, page by page. */
export function useChanges(from: string, digest: string, kind: ChangeKind) {
  return useInfiniteQuery({
    queryKey: [...DATASETS, "changes", from, digest, kind],
    queryFn: ({ pageParam }) =>
      call("get", "/api/datasets/{digest}/difference/items", {
        path: { digest },
        query: { from, kind, after: pageParam },
      }),
    initialPageParam: 0,
    getNextPageParam: (page) => page.next_after ?? undefined,
  });
}
