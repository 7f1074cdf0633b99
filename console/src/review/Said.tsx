import { useQueryClient } from "@tanstack/react-query";
import {
  createContext,
  type ReactNode,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import { type Letter, post, send, shelfOf } from "./outbox";

interface Outbox {
  /** on their way, the oldest first */
  waiting: readonly Letter[];
  /** refused by the server: they are lost unless somebody does something about it */
  stuck: readonly Letter[];
  put: (one: Letter) => void;
  drop: (one: Letter) => void;
  retry: (one: Letter) => void;
}

const Context = createContext<Outbox | null>(null);

/** Brings what was said to the server, one after the other and in order, until it is acknowledged; kept in the browser
 * meanwhile, also over a reload. */
export function SaidProvider({ who, children }: { who: string; children: ReactNode }) {
  const queries = useQueryClient();
  const shelf = useMemo(() => shelfOf(who), [who]);
  const [letters, setLetters] = useState<readonly Letter[]>(() => shelf.all());
  const [turn, setTurn] = useState(0);
  const busy = useRef(false);

  const change = useCallback(
    (one: Letter) => {
      shelf.put(one);
      setLetters((all) =>
        [...all.filter((other) => other.body.key !== one.body.key), one].sort((a, b) => a.ms - b.ms),
      );
    },
    [shelf],
  );
  const drop = useCallback(
    (one: Letter) => {
      shelf.drop(one);
      setLetters((all) => all.filter((other) => other.body.key !== one.body.key));
    },
    [shelf],
  );

  // biome-ignore lint/correctness/useExhaustiveDependencies: each turn looks again at what is due
  useEffect(() => {
    const next = letters.find((one) => !one.why);
    if (busy.current || !next) return;
    const timer = window.setTimeout(
      () => {
        busy.current = true;
        void send(next, post, Date.now())
          .then((outcome) => {
            if (outcome.kind !== "done") return change(outcome.letter);
            drop(next);
            if (next.to === "verdict") void queries.invalidateQueries({ queryKey: ["verdicts", next.event] });
            void queries.invalidateQueries({ queryKey: ["rates"] });
          })
          .finally(() => {
            busy.current = false;
            setTurn((n) => n + 1);
          });
      },
      Math.max(0, next.notBefore - Date.now()),
    );
    return () => window.clearTimeout(timer);
  }, [letters, turn, change, drop, queries]);

  const outbox = {
    waiting: letters.filter((one) => !one.why),
    stuck: letters.filter((one) => one.why),
    put: change,
    drop,
    retry: (one: Letter) => change({ ...one, why: "", tries: 0, notBefore: 0 }),
  };
  return <Context.Provider value={outbox}>{children}</Context.Provider>;
}

export function useSaid(): Outbox {
  const outbox = useContext(Context);
  if (!outbox) throw new Error("useSaid outside SaidProvider");
  return outbox;
}
