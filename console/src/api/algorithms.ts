import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { call, held, type Schemas, send } from "./client";

export type AlgorithmVersion = Schemas["AlgorithmVersion"];
export type LedgerLine = Schemas["LedgerLine"];
export type Lane = Schemas["LaneState"];
export type EnteredVersion = Schemas["EnteredVersion"];
export type Described = Schemas["Described"];
/** A network from elsewhere, as its form has it. */
export interface Upload {
  algorithm: string;
  version: string;
  note: string;
  model: File;
  card: File;
}
/** What people do with a version: before it is on cameras, and there. */
export type Step = "registration" | "retirement" | "shadow" | "canary" | "promotion" | "abort" | "rollback";

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

/** Candidates that run on cameras now. */
export function useLanes() {
  return useQuery({
    queryKey: ["algorithms", "lanes"],
    queryFn: () => call("get", "/api/algorithms/lanes"),
    refetchInterval: 5_000,
  });
}

/** What a version of an algorithm may say of its rule. */
export function useParameters(algorithm: string) {
  return useQuery({
    queryKey: ["algorithms", "parameters", algorithm],
    queryFn: () => call("get", "/api/algorithms/parameters", { query: { algorithm } }),
  });
}

/** A training's network, or other parameters, become a version. */
export function useEnterVersion() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: EnteredVersion) => call("post", "/api/algorithms", { body }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["algorithms"] }),
  });
}

/** A network from elsewhere becomes a version, if its check lets it. */
export function useUploadVersion() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async (upload: Upload) =>
      send<Schemas["UploadAnswer"]>("/api/algorithms/uploads", await formOf(upload)),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["algorithms"] }),
  });
}

async function formOf({ model, card, ...fields }: Upload): Promise<FormData> {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append("model", await held(model));
  form.append("card", await held(card));
  return form;
}

/** One move of a version. */
export async function move(
  version: AlgorithmVersion,
  step: Step,
  cameras: string[],
  why: string,
): Promise<void> {
  const path = { number: version.id };
  if (step === "rollback") {
    await call("post", "/api/algorithms/rollback", {
      body: { algorithm: version.algorithm, version_id: version.id, why },
    });
  } else if (step === "registration") {
    await call("post", "/api/algorithms/{number}/registration", { path });
  } else if (step === "retirement") {
    await call("post", "/api/algorithms/{number}/retirement", { path, body: { why } });
  } else if (step === "abort") {
    await call("post", "/api/algorithms/{number}/abort", { path, body: { why } });
  } else if (step === "promotion") {
    await call("post", "/api/algorithms/{number}/promotion", { path, body: { too_soon: why || null } });
  } else if (step === "canary") {
    await call("post", "/api/algorithms/{number}/canary", { path, body: { cameras } });
  } else {
    await call("post", "/api/algorithms/{number}/shadow", { path, body: { cameras } });
  }
}
