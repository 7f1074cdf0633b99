import { useQuery, useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, useContext, useEffect, useMemo } from "react";
import { ApiError, call, onSessionChange, type Schemas } from "./api/client";

export type Me = Schemas["Me"];

interface Session {
  /** null: nobody is logged in; undefined: not known yet */
  me: Me | null | undefined;
  error: unknown;
  login: (name: string, password: string) => Promise<void>;
  finishLogin: (code: string) => Promise<void>;
  logout: () => Promise<void>;
  changePassword: (old: string, fresh: string) => Promise<void>;
  retry: () => Promise<unknown>;
}

const Context = createContext<Session | null>(null);
const KEY = ["me"];

async function whoAmI(): Promise<Me | null> {
  try {
    return await call("get", "/api/me");
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return null;
    throw error;
  }
}

export function SessionProvider({ children }: { children: ReactNode }) {
  const queries = useQueryClient();
  const { data, error, refetch } = useQuery({ queryKey: KEY, queryFn: whoAmI, staleTime: 60_000 });

  useEffect(() => {
    let asking = false;
    return onSessionChange(() => {
      // The question itself answers 401 to whoever is logged out; it must not ask itself again.
      if (asking || queries.getQueryData(KEY) === null || queries.isFetching({ queryKey: KEY })) return;
      asking = true;
      void refetch().finally(() => {
        asking = false;
      });
    });
  }, [queries, refetch]);

  const session = useMemo<Session>(() => {
    // What one account saw must not be shown to the next.
    const forgetAll = () => queries.removeQueries({ predicate: (query) => query.queryKey[0] !== KEY[0] });
    // An answer that is on its way tells of the session before.
    const become = async (me: Me | null) => {
      await queries.cancelQueries({ queryKey: KEY });
      queries.setQueryData(KEY, me);
    };
    return {
      me: data,
      error,
      retry: () => refetch(),
      login: async (name, password) => {
        const me = await call("post", "/api/login", { body: { name, password } });
        forgetAll();
        await become(me);
      },
      finishLogin: async (code) => {
        await become(await call("post", "/api/login/second-factor", { body: { code } }));
      },
      logout: async () => {
        await call("post", "/api/logout");
        forgetAll();
        await become(null);
      },
      changePassword: async (old, fresh) => {
        await become(await call("post", "/api/password", { body: { old, new: fresh } }));
      },
    };
  }, [data, error, refetch, queries]);
  return <Context.Provider value={session}>{children}</Context.Provider>;
}

export function useSession(): Session {
  const session = useContext(Context);
  if (!session) throw new Error("useSession outside SessionProvider");
  return session;
}
