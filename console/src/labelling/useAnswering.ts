import { useEffect, useLayoutEffect, useRef, useState } from "react";
import type { Label, LabelTask, Work } from "../api/labelling";
import { freshId } from "../api/retry";
import { useLetters } from "../outbox/Letters";
import { letter } from "../outbox/letters";
import { taken } from "../review/keys";

export interface AnnotatorProps {
  task: LabelTask;
  project: { kinds: readonly string[]; classes: readonly string[] };
  work: Work;
  finished: () => void;
  skip: () => void;
}

/** Where somebody stopped; else what the other one said, or what was one's own when it was rejected. */
export function atFirst(task: LabelTask): readonly Label[] {
  return (task.draft as Label[] | null) ?? task.answers.at(-1)?.labels ?? [];
}

/** What is said of one picture or clip: sent, sent back, and kept while it is not finished. */
export function useAnswering(
  task: LabelTask,
  work: Work,
  labels: readonly Label[],
  finished: () => void,
  seen: boolean,
) {
  const { put } = useLetters();
  const { item } = task;
  // As it was when it was shown: what came since then, nobody here has seen.
  const [answer] = useState(() => task.answers.at(-1));
  const [first] = useState(labels);
  const [began] = useState(() => Date.now());
  const spent = () => Math.min(86_400, (Date.now() - began) / 1000);
  useAutosave(item.id, labels, first);
  const unchanged = labels === answer?.labels;

  const send = () => {
    if (!seen) return; // nobody labels what they have not seen
    const common = { note: "", spent_s: spent(), key: freshId() };
    if (work === "label") {
      put(letter({ to: "labels", item: item.id, body: { ...common, labels: [...labels] } }));
    } else if (answer) {
      const corrected = unchanged ? null : [...labels];
      const body = { ...common, answer: answer.id, accepted: true, labels: corrected };
      put(letter({ to: "label_review", item: item.id, body }));
    }
    finished();
  };
  const reject = (note: string) => {
    if (!answer || !note.trim()) return;
    const body = { answer: answer.id, accepted: false, labels: null, note, spent_s: spent(), key: freshId() };
    put(letter({ to: "label_review", item: item.id, body }));
    finished();
  };
  const sends = work === "label" ? "label.submit" : unchanged ? "label.accept" : "label.correct";
  return { send, reject, sends, by: work === "review" ? answer?.who : undefined } as const;
}

const CALM_MS = 400;

/** Keeps what is drawn, a moment after each change; what is on its way waits in the browser over a dead line. */
function useAutosave(item: number, labels: readonly Label[], first: readonly Label[]): void {
  const { put } = useLetters();
  const sent = useRef(first);
  useEffect(() => {
    if (labels === sent.current) return;
    const timer = window.setTimeout(() => {
      sent.current = labels;
      put(letter({ to: "draft", item, body: { labels: [...labels], stamp: Date.now() } }));
    }, CALM_MS);
    return () => window.clearTimeout(timer);
  }, [item, labels, put]);
}

/** Keys of the whole page. `meaning` of one, if it has any. */
export function useKeys<A>(
  meaning: (event: KeyboardEvent) => A | null,
  act: (what: A) => void,
  off: boolean,
): void {
  // With the page itself: a moment later, a quick key would still speak of the picture before.
  useLayoutEffect(() => {
    if (off) return;
    const onKey = (event: KeyboardEvent) => {
      if (taken(event.target, event.key)) return;
      const what = meaning(event);
      if (!what) return;
      event.preventDefault();
      act(what);
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  });
}
