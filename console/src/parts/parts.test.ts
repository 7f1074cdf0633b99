import { describe, expect, it } from "vitest";
import { ApiError } from "../api/client";
import { translate } from "../i18n";
import { describeNumber } from "./numbers";
import { explain, inOneLine } from "./Trouble";
import { formatDuration, formatHours, formatTime, fromField, toField } from "./time";

const zh = (key: Parameters<typeof translate>[1]) => translate("zh", key);
const en = (key: Parameters<typeof translate>[1]) => translate("en", key);

describe("numbers", () => {
  it("have names and units in both languages", () => {
    expect(describeNumber("still_s", 187.4, "zh")).toEqual({ name: "静止时长", value: "187 秒" });
    expect(describeNumber("looks_share", 0.917, "en")).toEqual({ name: "Seen in looks", value: "92 %" });
    expect(describeNumber("seen_since_start", 1, "zh").value).toBe("是");
    expect(describeNumber("moved_body_lengths", 0.061, "en").value).toBe("0.06");
    expect(describeNumber("something_new", 3, "en")).toEqual({ name: "something new", value: "3" });
  });
});

describe("times", () => {
  it("say durations in the units that matter", () => {
    expect(formatDuration(42, zh)).toBe("42 秒");
    expect(formatDuration(187, zh)).toBe("3 分 7 秒");
    expect(formatDuration(3600, en)).toBe("1 h");
    expect(formatDuration(93_600, en)).toBe("1 d 2 h");
  });

  it("never round hours not watched down to nothing", () => {
    expect(formatHours(0.01)).toBe("<0.1");
    expect(formatHours(0)).toBe("0.0");
    expect(formatHours(12.6)).toBe("13");
  });

  it("give the year only where it is another", () => {
    const old = new Date(2020, 0, 2, 3, 4, 5).getTime() / 1000;
    expect(formatTime(old, "zh")).toBe("2020-01-02 03:04:05");
    expect(formatTime(old, "en", false)).toBe("2 Jan 2020 03:04");
  });

  it("go into a field and come back, and nothing comes of nonsense", () => {
    const moment = new Date(2026, 1, 3, 4, 5, 6).getTime() / 1000;
    expect(toField(moment)).toBe("2026-02-03T04:05");
    expect(fromField(toField(moment, true))).toBe(moment);
    expect(fromField("")).toBeNull();
    expect(fromField("2026-13-40T00:00")).toBeNull();
  });
});

describe("refusals", () => {
  const refused = (status: number, code: string) =>
    new ApiError(status, {
      type: "",
      title: "",
      status,
      detail: "stands at 7",
      code,
      fix: "reload",
      faults: [],
    });

  it("say what a code means in the reader's language, and the details below", () => {
    const found = explain(refused(409, "stale_revision"), zh);
    expect(found).toEqual({ title: "内容已被他人修改，请刷新后重试", text: "stands at 7; reload" });
    expect(inOneLine(refused(422, "invalid"), zh)).toBe("提交的内容有误 (stands at 7; reload)");
  });

  it("keep the server's words where the code says nothing to us", () => {
    expect(explain(refused(418, "teapot"), zh)).toEqual({ title: "stands at 7", text: "reload" });
  });
});
