import type { Case, CaseDetail, Schemas } from "../api/client";
import { freshId } from "../api/retry";

/** A photo of a draft; `key` is what the server calls it, once it has it. */
export interface Photo {
  id: string;
  blob: Blob;
  key: string | null;
}

/** A report that is written, or waits for the line. It stays in the browser until the server has said that it has it. */
export interface Draft {
  /** names the report to the server too: however often it is sent, it is done once */
  id: string;
  /** the account that wrote it: nobody else's is sent with it */
  who: string;
  number: number;
  /** which time round the case was handled when it was written, see `roundOf` */
  round: number;
  note: string;
  photos: Photo[];
  state: "writing" | "sending" | "stuck";
  tries: number;
  /** ms since 1970: not sent again before */
  notBefore: number;
  /** what stands in the way, in the server's words; "changed": the case went on without it */
  why: string;
}

/** A report that nothing is written of yet. Each has a name of its own: one that the server has taken is never used again. */
export function emptyDraft(who: string, one: Case): Draft {
  return {
    id: freshId(),
    who,
    number: one.id,
    round: roundOf(one.state),
    note: "",
    photos: [],
    state: "writing",
    tries: 0,
    notBefore: 0,
    why: "",
  };
}

/** How often the case came back to be handled again: what was done in one round proves nothing in the next. */
export function roundOf(state: Case["state"]): number {
  return (state.returns ?? 0) + (state.refusals ?? 0) + (state.reopened ?? 0);
}

/** Whether this person can do that to a case now. */
export function can(detail: CaseDetail, action: Schemas["Action"]): boolean {
  return detail.offers.some((one) => one.action === action);
}

/** An account's drafts after one was changed: it has one for a case, `empty` where nothing was written of it yet. */
export function changed(
  drafts: Draft[],
  empty: Draft,
  change: (one: Draft) => Draft,
): { next: Draft; all: Draft[] } {
  const next = change(drafts.find((one) => one.number === empty.number) ?? empty);
  return { next, all: [...drafts.filter((one) => one.number !== empty.number), next] };
}

/** What is to become of a draft, by how its case stands at the server. */
export function judge(draft: Draft, detail: CaseDetail): "done" | "go" | "changed" {
  if (detail.lines.some((line) => line.key === draft.id)) return "done"; // it arrived; only the answer did not
  return can(detail, "report") && roundOf(detail.case.state) === draft.round ? "go" : "changed";
}

/** The parts of a case's history that say what is wanted of who handles it now: since it last came to them. */
export function wanted(detail: CaseDetail): CaseDetail["lines"] {
  const began = detail.lines.findLastIndex((line) => ["dispatch", "refuse", "reopen"].includes(line.action));
  const words = ["dispatch", "refuse", "reopen", "supervise", "extend"];
  return detail.lines
    .slice(Math.max(0, began))
    .filter((line) => words.includes(line.action) && line.facts.note);
}
