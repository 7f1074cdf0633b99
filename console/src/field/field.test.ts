import { describe, expect, it } from "vitest";
import { ApiError, type CaseDetail, NetworkError, type Problem } from "../api/client";
import { patience } from "../api/retry";
import { translate } from "../i18n";
import { pressing } from "./countdown";
import { changed, type Draft, emptyDraft, judge, wanted } from "./draft";
import { type Doors, send } from "./sending";
import { distance, formatDistance } from "./way";

const zh: Parameters<typeof formatDistance>[1] = (key, values) => translate("zh", key, values);

function detail(state: Record<string, unknown> = {}, lines: Record<string, unknown>[] = []): CaseDetail {
  const one = { id: 7, revision: 3, state: { status: "handling", returns: 0, refusals: 0, ...state } };
  const offers = one.state.status === "handling" ? [{ action: "report", needs: ["pictures"] }] : [];
  return { case: one, lines, events: [], looks: [], offers } as unknown as CaseDetail;
}

function draft(fields: Partial<Draft> = {}): Draft {
  const photos = ["a", "b"].map((id) => ({ id, blob: new Blob([id]), key: null }));
  return { ...emptyDraft("li", detail().case), id: "mine-000", photos, state: "sending", ...fields };
}

const problem = (status: number, code: string) =>
  new ApiError(status, { detail: "no", fix: "do", code } as Problem);

/** A server that fails in the order given, then takes everything. */
class Server implements Doors {
  uploads: string[] = [];
  kept: Draft[] = [];
  reports: Draft[] = [];
  constructor(
    private now: CaseDetail = detail(),
    private faults: Partial<Record<"detail" | "picture" | "report", Error[]>> = {},
  ) {}
  private fail(door: "detail" | "picture" | "report") {
    const fault = this.faults[door]?.shift();
    if (fault) throw fault;
  }
  async detail() {
    this.fail("detail");
    return this.now;
  }
  async picture(_: number, blob: Blob) {
    this.fail("picture");
    this.uploads.push(await blob.text());
    return `cases/${await blob.text()}`;
  }
  async report(one: Draft) {
    this.reports.push(one);
    this.now = detail({ status: "reported" }, [{ action: "report", key: one.id, facts: {} }]);
    this.fail("report");
    return this.now;
  }
  async keep(one: Draft) {
    this.kept.push(one);
  }
}

describe("a report", () => {
  it("brings its photos, then itself", async () => {
    const server = new Server();
    expect((await send(draft(), server, 0)).kind).toBe("done");
    expect(server.uploads).toEqual(["a", "b"]);
    expect(server.reports[0]?.photos.map((one) => one.key)).toEqual(["cases/a", "cases/b"]);
  });

  it("goes on where the line broke", async () => {
    const server = new Server();
    const first = new Server();
    first.report = async () => {
      throw new NetworkError("gone");
    };
    const later = await send(draft(), first, 1000);
    if (later.kind !== "later") throw new Error(later.kind);
    expect(later.draft.notBefore).toBeGreaterThan(1000);
    expect(later.draft.photos.every((one) => one.key)).toBe(true);
    expect((await send(later.draft, server, 0)).kind).toBe("done");
    expect(server.uploads).toEqual([]); // they are there already
  });

  it("remembers each photo as soon as it has arrived", async () => {
    const server = new Server();
    const upload = server.picture.bind(server);
    server.picture = async (number, blob) => {
      if (server.uploads.length === 1) throw new NetworkError("gone");
      return upload(number, blob);
    };
    const outcome = await send(draft(), server, 0);
    expect(outcome.kind).toBe("later");
    expect(server.kept.at(-1)?.photos.map((one) => one.key)).toEqual(["cases/a", null]);
  });

  it("is not sent twice where only the answer was lost", async () => {
    const server = new Server(detail(), { report: [new NetworkError("gone")] });
    const lost = await send(draft(), server, 0);
    expect(lost.kind).toBe("later");
    expect((await send(draft(), server, 0)).kind).toBe("done");
    expect(server.reports).toHaveLength(1);
  });

  it("waits for what passes, and asks its writer about what does not", async () => {
    const asked = async (error: Error) =>
      (await send(draft(), new Server(detail(), { detail: [error] }), 0)).kind;
    for (const [status, code] of [
      [401, "not_authenticated"],
      [403, "second_factor_required"],
      [409, "stale_revision"],
      [429, "too_many_attempts"],
      [503, "database_unavailable"],
    ] as const) {
      expect(await asked(problem(status, code))).toBe("later");
    }
    for (const [status, code] of [
      [403, "forbidden"],
      [404, "not_found"],
      [413, "too_large"],
      [422, "cannot_act"],
    ] as const) {
      expect(await asked(problem(status, code))).toBe("stuck");
    }
    expect(await asked(new TypeError("a fault of our own"))).toBe("stuck");
  });

  it("is no proof of another round, nor of a case that went on without it", () => {
    expect(judge(draft(), detail())).toBe("go");
    expect(judge(draft(), detail({ refusals: 1 }))).toBe("changed");
    expect(judge(draft(), detail({ status: "reported" }))).toBe("changed");
    expect(judge(draft(), detail({ refusals: 1 }, [{ key: "mine-000" }]))).toBe("done");
  });

  it("is tried ever more rarely, but at least every minute, and not before the server wants it", () => {
    expect([0, 1, 2, 9, 5000].map((n) => patience(n, null))).toEqual([2000, 4000, 8000, 60_000, 60_000]);
    expect(patience(0, 90)).toBe(90_000);
  });
});

describe("a draft", () => {
  const note = (text: string) => (one: Draft) => ({ ...one, note: one.note + text });
  it("keeps its name from the first word on, and the next one of that case has another", () => {
    const one = detail().case;
    const first = changed([], emptyDraft("li", one), note("a"));
    const second = changed(first.all, emptyDraft("li", one), note("b"));
    expect(second.all).toEqual([{ ...first.next, note: "ab" }]);
    expect(changed([], emptyDraft("li", one), note("c")).next.id).not.toBe(first.next.id);
  });
});

describe("what is asked", () => {
  it("is what was said since the case last came to its handler", () => {
    const line = (action: string, note: string) => ({ action, facts: { note } });
    const lines = [
      line("dispatch", "old"),
      line("report", "done"),
      line("refuse", "still there"),
      line("start", ""),
      line("supervise", "hurry"),
    ];
    expect(wanted(detail({}, lines)).map((one) => one.facts.note)).toEqual(["still there", "hurry"]);
  });
});

describe("the clock", () => {
  const clock = (limit_s: number, due_utc: number, name = "handle") =>
    ({ name, limit_s, due_utc, started_utc: 0 }) as Parameters<typeof pressing>[0];
  it("presses in the last fifth, at least the last quarter of an hour", () => {
    expect(pressing(clock(7200, 7200), 0)).toBe("calm");
    expect(pressing(clock(7200, 7200), 7200 - 1440)).toBe("soon");
    expect(pressing(clock(600, 600), 0)).toBe("soon");
    expect(pressing(clock(600, 600), 601)).toBe("late");
    expect(pressing(clock(600, 600, "hold"), 601)).toBe("held");
    expect(pressing(null, 0)).toBe("held");
  });
});

describe("the way", () => {
  it("is as long as on a globe", () => {
    const square = { lat: 31.2304, lon: 121.4737 };
    expect(distance(square, square)).toBe(0);
    expect(distance(square, { lat: 31.2304, lon: 121.4842 })).toBeCloseTo(998, -1);
    expect(distance({ lat: 0, lon: 179.9 }, { lat: 0, lon: -179.9 })).toBeLessThan(23_000);
  });
  it("is told no more exactly than it is known", () => {
    expect(formatDistance(3, zh)).toBe("10 米");
    expect(formatDistance(347, zh)).toBe("350 米");
    expect(formatDistance(1234, zh)).toBe("1.2 公里");
    expect(formatDistance(12_340, zh)).toBe("12 公里");
  });
});
