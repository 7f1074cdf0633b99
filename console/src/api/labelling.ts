import { useQuery } from "@tanstack/react-query";
import { call, type Schemas } from "./client";

export type LabelProject = Schemas["ProjectOut"];
export type NewLabelProject = Schemas["NewProject"];
export type LabelTask = Schemas["Task"];
export type LabelItem = Schemas["ItemOut"];
export type LabelAnswer = Schemas["NewAnswer"];
export type LabelReview = Schemas["NewReview"];
export type LabelDraft = Schemas["DraftBody"];
export type Between = Schemas["Between"];
export type Collection = Schemas["CollectionOut"];
export type CollectionPolicy = Schemas["CollectionPolicy"];
export type RecallEstimate = Schemas["RecallEstimate"];
export type Label = LabelAnswer["labels"][number];
export type Kind = Label["kind"] & string;
export type Work = "label" | "review";

/** Why a picture of a stream is taken, in the order in which it is shown. */
export const REASONS = ["random", "hourly", "weather", "uncertain", "disagreement"] as const;

const AGAIN_MS = 5_000;

export function useLabelProjects() {
  return useQuery({
    queryKey: ["labelling", "projects"],
    queryFn: () => call("get", "/api/labelling/projects"),
    refetchInterval: 15_000,
  });
}

export function useLabelProject(number: number) {
  return useQuery({
    queryKey: ["labelling", "project", number],
    queryFn: () => call("get", "/api/labelling/projects/{number}", { path: { number } }),
    refetchInterval: 15_000,
  });
}

export function useLabelItems(number: number) {
  return useQuery({
    queryKey: ["labelling", "items", number],
    queryFn: () => call("get", "/api/labelling/projects/{number}/items", { path: { number } }),
  });
}

export function useAgreement(number: number) {
  return useQuery({
    queryKey: ["labelling", "agreement", number],
    queryFn: () => call("get", "/api/labelling/projects/{number}/agreement", { path: { number } }),
  });
}

export function useCollection(number: number) {
  return useQuery({
    queryKey: ["labelling", "collection", number],
    queryFn: () => call("get", "/api/labelling/projects/{number}/collection", { path: { number } }),
    refetchInterval: 30_000,
  });
}

/** What one has to do next, asked for again and again: what others have done is gone from it. */
export function useLabelQueue(number: number, work: Work) {
  return useQuery({
    queryKey: ["labelling", "queue", number, work],
    queryFn: () =>
      call("get", "/api/labelling/projects/{number}/queue", { path: { number }, query: { work } }),
    refetchInterval: AGAIN_MS,
    staleTime: 0,
  });
}
