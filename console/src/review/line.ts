import type { EventSummary } from "../api/client";

/** The line of events in front of somebody who judges. Pure.
 *
 * `upcoming[at]` is the one that is shown. What was judged here is never taken in again from the server, which may not
 * have heard of it yet; `again` are events that were taken back to be judged once more. */
export interface Line {
  upcoming: readonly EventSummary[];
  at: number;
  done: readonly Done[];
  again: ReadonlySet<string>;
  /** how many others judged while they waited here */
  skipped: number;
}

/** An event that was judged here; `ms` since 1970. */
export interface Done {
  event: EventSummary;
  words: string;
  ms: number;
}

export const EMPTY: Line = { upcoming: [], at: 0, done: [], again: new Set(), skipped: 0 };

export function current(line: Line): EventSummary | undefined {
  return line.upcoming[line.at];
}

/** The events that come after the one that is shown. */
export function following(line: Line, count: number): readonly EventSummary[] {
  return line.upcoming.slice(line.at + 1, line.at + 1 + count);
}

function held(at: number, length: number): number {
  return Math.max(0, Math.min(at, length - 1));
}

/** The line after the shown event was judged: the next one takes its place. */
export function judged(line: Line, words: string, ms: number): Line {
  const event = current(line);
  if (!event) return line;
  const upcoming = line.upcoming.filter((one) => one.id !== event.id);
  const again = new Set(line.again);
  again.delete(event.id);
  const done = [...line.done, { event, words, ms }];
  return { ...line, upcoming, at: held(line.at, upcoming.length), done, again };
}

/** The last one that was judged comes back, to be judged again. */
export function undone(line: Line): Line {
  const last = line.done.at(-1);
  if (!last) return line;
  const upcoming = [...line.upcoming.slice(0, line.at), last.event, ...line.upcoming.slice(line.at)];
  return { ...line, upcoming, done: line.done.slice(0, -1), again: new Set(line.again).add(last.event.id) };
}

/** One on, or one back, without a verdict. */
export function moved(line: Line, by: 1 | -1): Line {
  return { ...line, at: held(line.at + by, line.upcoming.length) };
}

/** The line after the server has told what waits now: new ones join at their place, what others judged leaves it.
 *
 * `more`: the page ends before the queue does, so that it says nothing of what is older than its last event. */
export function refreshed(line: Line, page: readonly EventSummary[], more: boolean): Line {
  const here = new Set(line.done.map((one) => one.event.id));
  const fresh = new Map(page.filter((one) => !here.has(one.id)).map((one) => [one.id, one]));
  const oldest = page.at(-1);
  const covered = (one: EventSummary) => !more || (oldest !== undefined && before(oldest, one));
  const kept = line.upcoming.filter((one) => fresh.has(one.id) || line.again.has(one.id) || !covered(one));
  const skipped = line.skipped + line.upcoming.length - kept.length;
  const known = new Set(kept.map((one) => one.id));
  const upcoming = [
    ...kept.map((one) => fresh.get(one.id) ?? one),
    ...[...fresh.values()].filter((one) => !known.has(one.id)),
  ];
  const shown = current(line);
  const at = shown ? upcoming.findIndex((one) => one.id === shown.id) : 0;
  return { ...line, upcoming, at: at >= 0 ? at : held(line.at, upcoming.length), skipped };
}

/** Whether `a` stands behind `b` in the server's order (newest first). */
function before(a: EventSummary, b: EventSummary): boolean {
  return a.started_utc < b.started_utc || (a.started_utc === b.started_utc && a.id < b.id);
}

const PACED = 20;

/** Verdicts a minute over the last few; null: too few to say. */
export function pace(done: readonly Done[]): number | null {
  const last = done.slice(-PACED);
  const [first, end] = [last[0], last.at(-1)];
  if (!first || !end || last.length < 3 || end.ms <= first.ms) return null;
  return ((last.length - 1) * 60_000) / (end.ms - first.ms);
}
