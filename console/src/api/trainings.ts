import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { call, type Schemas } from "./client";

export type Training = Schemas["TrainingJob"];
export type TrainingDetail = Schemas["TrainingDetail"];
export type NewTraining = Schemas["NewTraining"];
export type TrainingState = Training["state"];
export type CurvePoint = Schemas["CurvePoint"];

const PAGE = 50;
const TRAININGS = ["trainings"];
const AGAIN_MS = 3_000;

/** It may still change. */
export const isOpen = (state: TrainingState) => state === "waiting" || state === "running";

/** What waits, runs and has ended, the newest first. */
export function useTrainings() {
  return useInfiniteQuery({
    queryKey: [...TRAININGS, "list"],
    queryFn: ({ pageParam }) => call("get", "/api/trainings", { query: { before: pageParam, limit: PAGE } }),
    initialPageParam: undefined as number | undefined,
    getNextPageParam: (page) => page.next_before ?? undefined,
    refetchInterval: AGAIN_MS,
  });
}

/** One training with its whole curve; asked for again and again until it has ended. */
export function useTraining(number: number) {
  return useQuery({
    queryKey: [...TRAININGS, "one", number],
    queryFn: () => call("get", "/api/trainings/{number}", { path: { number } }),
    refetchInterval: ({ state }) => (state.data && !isOpen(state.data.state) ? false : AGAIN_MS),
  });
}

export function useSubmitTraining() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: NewTraining) => call("post", "/api/trainings", { body }),
    onSuccess: () => queries.invalidateQueries({ queryKey: TRAININGS }),
  });
}

export function useCancelTraining(number: number) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => call("post", "/api/trainings/{number}/cancel", { path: { number } }),
    onSettled: () => queries.invalidateQueries({ queryKey: TRAININGS }),
  });
}
