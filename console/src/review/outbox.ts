import { ApiError, call, NetworkError } from "../api/client";
import { mayPass, patience } from "../api/retry";
import type { MissedBody, Said } from "../api/review";

/** Something said that is on its way to the server. `body.key` names it: however often it is sent, it counts once. */
export type Letter = { ms: number; tries: number; notBefore: number; why: string } & (
  | { to: "verdict"; event: string; body: Said }
  | { to: "missed"; body: MissedBody }
);

export function letter(
  what: { to: "verdict"; event: string; body: Said } | { to: "missed"; body: MissedBody },
): Letter {
  return { ...what, ms: Date.now(), tries: 0, notBefore: 0, why: "" };
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
    put: (one) => storage.setItem(prefix + one.body.key, JSON.stringify(one)),
    drop: (one) => storage.removeItem(prefix + one.body.key),
  };
}

export type Post = (one: Letter) => Promise<unknown>;

export const post: Post = (one) =>
  one.to === "verdict"
    ? call("post", "/api/events/{event_id}/verdicts", { path: { event_id: one.event }, body: one.body })
    : call("post", "/api/misses", { body: one.body });

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
