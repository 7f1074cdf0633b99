import { ApiError, call, NetworkError } from "../api/client";
import type { LabelAnswer, LabelDraft, LabelReview } from "../api/labelling";
import { mayPass, patience } from "../api/retry";
import type { MissedBody, Said } from "../api/review";

/** What somebody said: of an event, of what was missed, of a picture to be labelled. */
export type What =
  | { to: "verdict"; event: string; body: Said }
  | { to: "missed"; body: MissedBody }
  | { to: "draft"; item: number; body: LabelDraft }
  | { to: "labels"; item: number; body: LabelAnswer }
  | { to: "label_review"; item: number; body: LabelReview };

/** Something said that is on its way to the server. However often it is sent, it counts once: by its key, or a draft
 * by its stamp. */
export type Letter = { ms: number; tries: number; notBefore: number; why: string } & What;

export function letter(what: What): Letter {
  return { ...what, ms: Date.now(), tries: 0, notBefore: 0, why: "" };
}

/** Tells letters apart. */
export function nameOf(one: Letter): string {
  return one.to === "draft" ? `draft-${one.item}-${one.body.stamp}` : one.body.key;
}

/** Whether a newer letter makes this one needless: an older draft of the same picture, or any once it is answered. */
export function replaced(older: Letter, newer: Letter): boolean {
  const about =
    newer.to === "draft" || newer.to === "labels" || newer.to === "label_review" ? newer.item : null;
  return older.to === "draft" && older.item === about && older.ms <= newer.ms && older !== newer;
}

/** Where what is not sent yet is kept, one entry each: several pages of one browser do not overwrite each other's. */
export interface Shelf {
  all(): Letter[];
  put(one: Letter): void;
  drop(one: Letter): void;
}

export function shelfOf(who: string, storage: Storage = window.localStorage): Shelf {
  const prefix = `cityvision.said.${who}.`;
  return {
    all: () =>
      Object.keys(storage)
        .filter((key) => key.startsWith(prefix))
        .flatMap((key) => {
          try {
            return [JSON.parse(storage.getItem(key) ?? "") as Letter];
          } catch {
            return [];
          }
        })
        .sort((a, b) => a.ms - b.ms),
    put: (one) => storage.setItem(prefix + nameOf(one), JSON.stringify(one)),
    drop: (one) => storage.removeItem(prefix + nameOf(one)),
  };
}

export type Post = (one: Letter) => Promise<unknown>;

export const post: Post = (one) => {
  switch (one.to) {
    case "verdict":
      return call("post", "/api/events/{event_id}/verdicts", {
        path: { event_id: one.event },
        body: one.body,
      });
    case "missed":
      return call("post", "/api/misses", { body: one.body });
    case "draft":
      return call("put", "/api/labelling/items/{number}/draft", {
        path: { number: one.item },
        body: one.body,
      });
    case "labels":
      return call("post", "/api/labelling/items/{number}/answers", {
        path: { number: one.item },
        body: one.body,
      });
    case "label_review":
      return call("post", "/api/labelling/items/{number}/reviews", {
        path: { number: one.item },
        body: one.body,
      });
  }
};

/** What the console knows that is no longer so once a letter has arrived: keys of queries. */
export function touched(one: Letter): string[][] {
  if (one.to === "verdict") return [["verdicts", one.event], ["rates"]];
  if (one.to === "missed") return [["rates"]];
  return one.to === "draft" ? [] : [["labelling"]];
}

export type Outcome = { kind: "done" } | { kind: "later" | "stuck"; letter: Letter };

/** One try to bring a letter to the server: done, to be tried again later, or refused for good. */
export async function send(one: Letter, by: Post, now: number): Promise<Outcome> {
  try {
    await by(one);
    return { kind: "done" };
  } catch (error) {
    const lasting = error instanceof ApiError ? !mayPass(error) : !(error instanceof NetworkError);
    if (lasting) {
      const why =
        error instanceof ApiError ? `${error.problem.detail} · ${error.problem.fix}` : String(error);
      return { kind: "stuck", letter: { ...one, why } };
    }
    const notBefore = now + patience(one.tries, error instanceof ApiError ? error.retryAfter : null);
    return { kind: "later", letter: { ...one, tries: one.tries + 1, notBefore } };
  }
}
