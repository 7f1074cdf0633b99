import { useQuery, useQueryClient } from "@tanstack/react-query";
import { call, type Schemas } from "./client";

export type Silence = Schemas["Silence"];
export type NewSilence = Schemas["NewSilence"];
export type Hidden = Schemas["HiddenOut"];

const SILENCES = ["silences"];

/** Silences of deliveries of one's departments, each with how much it holds back. */
export function useSilences() {
  return useQuery({
    queryKey: SILENCES,
    queryFn: () => call("get", "/api/silences"),
    refetchInterval: 10_000,
  });
}

/** What one of them holds back, event by event. */
export function useHidden(number: number, hidden: number) {
  return useQuery({
    queryKey: [...SILENCES, number, "hidden", hidden],
    queryFn: () => call("get", "/api/silences/{number}/hidden", { path: { number } }),
  });
}

/** What one would have held back of the last seven days; null: it is not said yet what it is. */
export function usePreview(wanted: NewSilence | null) {
  return useQuery({
    queryKey: [...SILENCES, "preview", wanted],
    queryFn: () => call("post", "/api/silences/preview", { body: wanted as NewSilence }),
    enabled: wanted !== null,
    retry: false,
  });
}

/** Reads everything about silences again. */
export function useRereadSilences(): () => Promise<void> {
  const queries = useQueryClient();
  return () => queries.invalidateQueries({ queryKey: SILENCES });
}
