import { useQuery } from "@tanstack/react-query";
import { useSession } from "../session";
import { call, type Schemas } from "./client";

export type Grant = Schemas["GrantView"];
export type Right = Schemas["Right"];

export const GRANTS = ["grants"];
export const PEOPLE = ["people"];

/** Whether the account may do something at all; what it sees of it, the server decides. */
export function useRights(): (...any: Right[]) => boolean {
  const rights = useSession().me?.rights ?? [];
  return (...any) => any.some((one) => rights.includes(one));
}

export function useDepartments() {
  return useQuery({
    queryKey: ["departments"],
    queryFn: () => call("get", "/api/departments"),
    staleTime: 60_000,
  });
}

/** Names by id, for tables. */
export function useDepartmentNames(): Record<string, string> {
  const { data } = useDepartments();
  return Object.fromEntries((data ?? []).map((one) => [one.id, one.name]));
}

export function useGrants(enabled = true) {
  return useQuery({
    queryKey: GRANTS,
    queryFn: () => call("get", "/api/grants"),
    refetchInterval: 15_000,
    enabled,
  });
}
