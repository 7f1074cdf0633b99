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
import { type Letter, nameOf, post, replaced, send, shelfOf, touched } from "./letters";

interface Letters {
  /** on their way, the oldest first */
  waiting: readonly Letter[];
  /** refused by the server: they are lost unless somebody does something about it */
  stuck: readonly Letter[];
  put: (one: Letter) => void;
  drop: (one: Letter) => void;
  retry: (one: Letter) => void;
}

const Context = createContext<Letters | null>(null);

/** Brings what was said to the server, one after the other and in order, until it is acknowledged; kept in the browser
 * meanwhile, also over a reload. */
export function LettersProvider({ who, children }: { who: string; children: ReactNode }) {
  const queries = useQueryClient();
  const shelf = useMemo(() => shelfOf(who), [who]);
  const [letters, setLetters] = useState<readonly Letter[]>(() => shelf.all());
  const [turn, setTurn] = useState(0);
  const busy = useRef(false);

  const change = useCallback(
    (one: Letter) => {
      shelf.put(one);
      for (const other of shelf.all())
        if (replaced(other, one) && nameOf(other) !== nameOf(one)) shelf.drop(other);
      setLetters((all) =>
        [...all.filter((other) => nameOf(other) !== nameOf(one) && !replaced(other, one)), one].sort(
          (a, b) => a.ms - b.ms,
        ),
      );
    },
    [shelf],
  );
  const drop = useCallback(
    (one: Letter) => {
      shelf.drop(one);
      setLetters((all) => all.filter((other) => nameOf(other) !== nameOf(one)));
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
            for (const queryKey of touched(next)) void queries.invalidateQueries({ queryKey });
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

export function useLetters(): Letters {
  const outbox = useContext(Context);
  if (!outbox) throw new Error("useLetters outside LettersProvider");
  return outbox;
}
