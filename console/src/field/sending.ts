import { ApiError, type CaseDetail, NetworkError } from "../api/client";
import { mayPass, patience } from "../api/retry";
import { type Draft, judge } from "./draft";

/** What sending needs of the world. */
export interface Doors {
  detail(number: number): Promise<CaseDetail>;
  picture(number: number, blob: Blob): Promise<string>;
  report(draft: Draft, revision: number): Promise<CaseDetail>;
  /** Remembers how far a draft has come. */
  keep(draft: Draft): Promise<void>;
}

export type Outcome = { kind: "done"; detail: CaseDetail } | { kind: "later" | "stuck"; draft: Draft };

/** One try to bring a report to the server. Photos that arrived are not sent again; neither is a report that did. */
export async function send(draft: Draft, doors: Doors, now: number): Promise<Outcome> {
  let current = draft;
  try {
    const detail = await doors.detail(draft.number);
    const verdict = judge(draft, detail);
    if (verdict === "done") return { kind: "done", detail };
    if (verdict === "changed") return stuck(current, "changed");
    for (const photo of draft.photos.filter((one) => one.key === null)) {
      const key = await doors.picture(draft.number, photo.blob);
      const photos = current.photos.map((one) => (one.id === photo.id ? { ...one, key } : one));
      current = { ...current, photos };
      await doors.keep(current);
    }
    return { kind: "done", detail: await doors.report(current, detail.case.revision) };
  } catch (error) {
    return refused(current, error, now);
  }
}

function refused(draft: Draft, error: unknown, now: number): Outcome {
  if (!(error instanceof ApiError || error instanceof NetworkError)) return stuck(draft, String(error));
  const asked = error instanceof ApiError ? error.retryAfter : null;
  if (error instanceof ApiError && !mayPass(error)) {
    return stuck(draft, `${error.problem.detail} · ${error.problem.fix}`);
  }
  const notBefore = now + patience(draft.tries, asked);
  return { kind: "later", draft: { ...draft, tries: draft.tries + 1, notBefore } };
}

function stuck(draft: Draft, why: string): Outcome {
  return { kind: "stuck", draft: { ...draft, state: "stuck", why } };
}
