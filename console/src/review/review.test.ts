import { describe, expect, it } from "vitest";
import { ApiError, type EventSummary, NetworkError, type Problem } from "../api/client";
import { WHY } from "../api/review";
import { type Letter, letter, nameOf, send, shelfOf } from "../outbox/letters";
import { boxBetween } from "./box";
import { actOf } from "./keys";
import { current, EMPTY, judged, type Line, moved, pace, refreshed, undone } from "./line";

const event = (n: number) => ({ id: `e${n}`, started_utc: n, camera_name: `c${n}` }) as EventSummary;
/** As the server lists them: the newest first. */
const events = (...ns: number[]) => ns.sort((a, b) => b - a).map(event);
const ids = (line: Line) => line.upcoming.map((one) => one.id);
const begun = (...ns: number[]) => refreshed(EMPTY, events(...ns), false);

describe("the line of events", () => {
  it("puts the next one in the place of what was judged", () => {
    const line = judged(begun(3, 2, 1), "real", 0);
    expect(current(line)?.id).toBe("e2");
    expect(line.done.map((one) => one.event.id)).toEqual(["e3"]);
    expect(current(judged(moved(line, 1), "real", 0))?.id).toBe("e2"); // the last one: the one before it
  });

  it("never shows again what was judged here, though the server has not heard of it", () => {
    const line = refreshed(judged(begun(3, 2), "real", 0), events(3, 2), false);
    expect(ids(line)).toEqual(["e2"]);
    expect(line.skipped).toBe(0);
  });

  it("leaves out what others judged, and says how many", () => {
    const line = refreshed(begun(4, 3, 2, 1), events(4, 1), false);
    expect(ids(line)).toEqual(["e4", "e1"]);
    expect(line.skipped).toBe(2);
  });

  it("keeps what is older than a page that is not the last", () => {
    const line = refreshed(begun(4, 3, 2, 1), events(4, 2), true);
    expect(ids(line)).toEqual(["e4", "e2", "e1"]); // e3 is gone, of e1 the page says nothing
    expect(line.skipped).toBe(1);
  });

  it("stays at the event that is shown while new ones arrive", () => {
    const line = refreshed(moved(begun(3, 2, 1), 1), events(9, 3, 2, 1), false);
    expect(current(line)?.id).toBe("e2");
    expect(ids(line)).toContain("e9");
  });

  it("brings back what was judged last, also after the server has taken the verdict", () => {
    const back = undone(judged(begun(3, 2), "real", 0));
    expect(current(back)?.id).toBe("e3");
    const later = refreshed(back, events(2), false);
    expect(current(later)?.id).toBe("e3");
    expect(later.skipped).toBe(0);
    expect(refreshed(judged(later, "real", 1), events(2), false).upcoming.map((one) => one.id)).toEqual([
      "e2",
    ]);
    expect(undone(EMPTY)).toBe(EMPTY);
  });

  it("tells the pace of the last verdicts", () => {
    const done = [0, 2000, 4000].map((ms) => ({ event: event(1), words: "", ms }));
    expect(pace(done)).toBe(30);
    expect(pace(done.slice(0, 2))).toBeNull();
  });
});

describe("keys", () => {
  const press = (key: string, asking = false, more = {}) =>
    actOf({ key, repeat: false, ctrlKey: false, metaKey: false, altKey: false, ...more }, asking);
  it("judge", () => {
    expect(press("J")).toEqual({ do: "real" });
    expect(press("Enter")).toEqual({ do: "real" });
    expect(press("f")).toEqual({ do: "ask" });
    expect(press("Backspace")).toEqual({ do: "undo" });
    expect(press("1")).toBeNull();
  });
  it("say why, each reason by its number, and nothing else meanwhile", () => {
    WHY.forEach((why, n) => {
      expect(press(String(n + 1), true)).toEqual({ do: "false", why });
    });
    expect(press("9", true)).toBeNull();
    expect(press("Enter", true)).toBeNull();
    expect(press("Escape", true)).toEqual({ do: "cancel" });
  });
  it("say nothing while held down or with a modifier", () => {
    expect(press("j", false, { repeat: true })).toBeNull();
    expect(press("f", false, { ctrlKey: true })).toBeNull();
  });
});

describe("what is on its way", () => {
  const one = (key = "k".repeat(8)): Letter =>
    letter({ to: "verdict", event: "e1", body: { kind: "real", reason: null, note: "", key } });
  const failing = (error: unknown) => () => Promise.reject(error);
  const problem = (status: number, code = "x") =>
    new ApiError(status, { detail: "no", fix: "do", code } as Problem);

  it("is kept until the server has it, and tried again later", async () => {
    expect((await send(one(), () => Promise.resolve(), 0)).kind).toBe("done");
    for (const error of [new NetworkError("away"), problem(503), problem(401)]) {
      const outcome = await send(one(), failing(error), 1000);
      expect(outcome.kind).toBe("later");
      expect(outcome.kind !== "done" && outcome.letter.notBefore).toBe(3000);
      expect(outcome.kind !== "done" && outcome.letter.why).toBe("");
    }
  });

  it("says why where the server refuses it for good", async () => {
    for (const error of [problem(404, "not_found"), problem(422), problem(403, "forbidden")]) {
      const outcome = await send(one(), failing(error), 0);
      expect(outcome.kind).toBe("stuck");
      expect(outcome.kind !== "done" && outcome.letter.why).toContain("no");
    }
  });

  it("survives a reload, each account with its own", () => {
    const mine = shelfOf("li");
    mine.put(one("first000"));
    mine.put({ ...one("second00"), ms: 0 });
    shelfOf("wang").put(one("other000"));
    expect(shelfOf("li").all().map(nameOf)).toEqual(["second00", "first000"]);
    mine.drop(one("first000"));
    expect(mine.all()).toHaveLength(1);
  });
});

describe("a box", () => {
  it("has its corners in order, inside the picture, whichever way it was drawn", () => {
    expect(boxBetween([0.5, 0.6], [0.2, 1.4])).toEqual([
      [0.2, 0.6],
      [0.5, 0.6],
      [0.5, 1],
      [0.2, 1],
    ]);
  });
  it("is none where it was but a click", () => {
    expect(boxBetween([0.5, 0.5], [0.501, 0.7])).toBeNull();
  });
});
