import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { call, type Schemas, upload } from "./client";

export type Exhibit = Schemas["Exhibit"];
export type TrialOut = Schemas["TrialOut"];
export type AlgorithmRequest = Schemas["AlgorithmRequest"];

const REQUESTS = ["gallery", "requests"];

/** The algorithms that can be tried. */
export function useGallery() {
  return useQuery({ queryKey: ["gallery"], queryFn: () => call("get", "/api/gallery") });
}

/** What to try: `corners` in shares of the picture; empty: all of it. */
export interface Attempt {
  algorithm: string;
  file: File;
  corners: [number, number][];
  after: number;
  people: number;
}

export const isClip = (file: File) => !file.type.startsWith("image/") || file.type === "image/gif";

export function useTry() {
  return useMutation({
    mutationFn: ({ algorithm, file, corners, after, people }: Attempt) => {
      const asked = new URLSearchParams({
        kind: isClip(file) ? "clip" : "picture",
        after_s: String(after),
        people: String(people),
      });
      if (corners.length >= 3)
        for (const [x, y] of corners) {
          asked.append("polygon", x.toFixed(4));
          asked.append("polygon", y.toFixed(4));
        }
      return upload<TrialOut>(`/api/gallery/${encodeURIComponent(algorithm)}/trials?${asked}`, file);
    },
  });
}

/** What was asked for, open requests first. */
export function useRequests() {
  return useQuery({
    queryKey: REQUESTS,
    queryFn: () => call("get", "/api/gallery/requests"),
    refetchInterval: 30_000,
  });
}

export function useAsk() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas["RequestBody"]) => call("post", "/api/gallery/requests", { body }),
    onSuccess: () => queries.invalidateQueries({ queryKey: REQUESTS }),
  });
}

export function useAnswer() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ id, ...body }: Schemas["RequestAnswer"] & { id: number }) =>
      call("post", "/api/gallery/requests/{number}/answer", { path: { number: id }, body }),
    onSuccess: () => queries.invalidateQueries({ queryKey: REQUESTS }),
  });
}
