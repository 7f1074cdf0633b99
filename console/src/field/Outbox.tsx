import { useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, useCallback, useContext, useEffect, useRef, useState } from "react";
import { type CaseDetail, call, type Schemas, upload } from "../api/client";
import { changed, type Draft } from "./draft";
import { draftsOf, dropDraft, keepDraft } from "./drafts";
import { type Doors, send } from "./sending";

interface Outbox {
  /** undefined: not read from the browser's store yet */
  drafts: Draft[] | undefined;
  /** changes the draft of a case as it stands now; `empty` where there is none yet */
  edit: (empty: Draft, change: (one: Draft) => Draft) => void;
  drop: (id: string) => void;
  /** the browser keeps nothing: what is not sent ends with the page */
  forgetful: boolean;
}

const Context = createContext<Outbox | null>(null);

const SERVER: Omit<Doors, "keep"> = {
  detail: (number) => call("get", "/api/cases/{number}", { path: { number } }),
  picture: async (number, blob) => {
    const file = new File([blob], "picture.jpg", { type: "image/jpeg" });
    return (await upload<Schemas["PictureOut"]>(`/api/cases/${number}/pictures`, file)).key;
  },
  report: (draft, revision) => {
    const pictures = draft.photos.flatMap((photo) => photo.key ?? []);
    const facts = { note: draft.note, pictures } as Schemas["Facts"];
    const body = { action: "report" as const, key: draft.id, revision, facts };
    return call("post", "/api/cases/{number}/actions", { path: { number: draft.number }, body });
  },
};

/** Keeps what somebody reports, and sends it as soon as the line is there: one at a time, until it is acknowledged. */
export function OutboxProvider({ who, children }: { who: string; children: ReactNode }) {
  const queries = useQueryClient();
  const [drafts, setDrafts] = useState<Draft[]>();
  const all = useRef<Draft[]>([]); // the same, also before the page is drawn again
  const [turn, setTurn] = useState(0);
  const [forgetful, setForgetful] = useState(false);
  const busy = useRef(false);

  const put = useCallback((next: Draft[]) => {
    all.current = next;
    setDrafts(next);
  }, []);
  const keep = useCallback((one: Draft) => keepDraft(one).catch(() => setForgetful(true)), []);
  const edit = useCallback(
    (empty: Draft, change: (one: Draft) => Draft) => {
      const after = changed(all.current, empty, change);
      put(after.all);
      void keep(after.next);
    },
    [put, keep],
  );
  const drop = useCallback(
    (id: string) => {
      put(all.current.filter((one) => one.id !== id));
      dropDraft(id).catch(() => setForgetful(true));
    },
    [put],
  );
  const arrived = useCallback(
    (id: string, detail: CaseDetail) => {
      queries.setQueryData(["case", detail.case.id], detail);
      void queries.invalidateQueries({ queryKey: ["field"] });
      drop(id);
    },
    [queries, drop],
  );

  useEffect(() => {
    draftsOf(who).then(put, () => {
      setForgetful(true);
      put([]);
    });
    const again = () => put(all.current.map((one) => ({ ...one, notBefore: 0 })));
    window.addEventListener("online", again);
    return () => window.removeEventListener("online", again);
  }, [who, put]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: each turn looks again at what is due
  useEffect(() => {
    const waiting = (drafts ?? []).filter((one) => one.state === "sending");
    if (busy.current || waiting.length === 0) return;
    const next = waiting.reduce((a, b) => (b.notBefore < a.notBefore ? b : a));
    const timer = window.setTimeout(
      () => {
        busy.current = true;
        void send(next, { ...SERVER, keep }, Date.now())
          .then((outcome) => {
            if (outcome.kind === "done") arrived(next.id, outcome.detail);
            else edit(next, () => outcome.draft);
          })
          .finally(() => {
            busy.current = false;
            setTurn((n) => n + 1);
          });
      },
      Math.max(0, next.notBefore - Date.now()),
    );
    return () => window.clearTimeout(timer);
  }, [drafts, turn, arrived, edit, keep]);

  return <Context.Provider value={{ drafts, edit, drop, forgetful }}>{children}</Context.Provider>;
}

export function useOutbox(): Outbox {
  const outbox = useContext(Context);
  if (!outbox) throw new Error("useOutbox outside OutboxProvider");
  return outbox;
}
