import { useCallback, useRef, useState } from "react";
import type { Label } from "../api/labelling";
import { useTexts } from "../i18n";
import { ClipStage } from "./ClipStage";
import {
  atFrame,
  back,
  begunReel,
  type ClipFacts,
  clock,
  cornered,
  ended,
  inNextZone,
  keyed,
  nudged,
  outside,
  type Reel,
  removed,
  selectedOf,
  started,
  toEdge,
} from "./reel";
import { type ReelAct, reelActOf } from "./reelKeys";
import { SidePanel, type Tool } from "./SidePanel";
import { next, redone, withSuggested, withTool, withWord } from "./sheet";
import { Timeline } from "./Timeline";
import { spanOf } from "./tracks";
import { type AnnotatorProps, atFirst, useAnswering, useKeys } from "./useAnswering";
import { useFilm } from "./useFilm";
import { Why } from "./Why";

const KEYS = [
  "play",
  "step",
  "edges",
  "class",
  "interval",
  "open",
  "zone",
  "track",
  "nudge",
  "outside",
  "tab",
  "delete",
  "delete_key",
  "undo",
  "send",
  "take",
  "skip",
  "reject",
] as const;
const NO_TIME: ClipFacts = { duration_s: 1, fps: 1, frames: 1, start_s: 0 };

/** One clip: tracks, intervals and tags, with a timeline under it. */
export function ClipAnnotator({ task, project, work, finished, skip }: AnnotatorProps) {
  const { t } = useTexts();
  const { item } = task;
  const film = useRef<HTMLVideoElement>(null);
  const [reel, setReel] = useState<Reel>(() => {
    const zones = item.zones.map((zone) => zone.id);
    return begunReel(atFirst(task), item.clip ?? NO_TIME, zones, project.classes[0] ?? "");
  });
  const [there, setThere] = useState<boolean | null>(null);
  const [rejecting, setRejecting] = useState(false);
  const { send, reject, sends, by } = useAnswering(task, work, reel.labels, finished, there === true);
  const follow = useCallback((frame: number) => setReel((known) => atFrame(known, frame)), []);
  const { playing, setPlaying } = useFilm(film, reel.clip, reel.frame, follow);

  const act = (what: ReelAct) => {
    if (what.do === "enter") {
      if (reel.corners.length === 0 && reel.from === null) send();
    } else if (what.do === "skip") skip();
    else if (what.do === "reject") setRejecting(work === "review");
    else if (what.do === "play") {
      if (!playing && reel.frame === reel.clip.frames - 1) follow(0);
      setPlaying(there === true && !playing);
    } else {
      if (MOVING.has(what.do)) setPlaying(false);
      const suggested = item.suggested.map((one) => one.label);
      setReel((known) => changed(known, what, project, suggested));
    }
  };
  useKeys(reelActOf, act, rejecting);
  const select = (selected: number) => setReel((known) => ({ ...known, selected, from: null, corners: [] }));

  return (
    <div className="detail judging" data-testid="task" data-item={item.id} data-ready={there === true}>
      <div>
        <ClipStage
          item={item}
          reel={reel}
          classes={project.classes}
          film={film}
          shown={setThere}
          there={there}
          corner={(point) => {
            setPlaying(false);
            setReel((known) =>
              project.kinds.includes("track") ? cornered({ ...known, cursor: point }, point) : known,
            );
          }}
          hover={(cursor) => setReel((known) => ({ ...known, cursor }))}
        />
        <Timeline
          reel={reel}
          classes={project.classes}
          seek={(frame) => {
            setPlaying(false);
            follow(frame);
          }}
          select={select}
        />
        {there === false ? <p className="dim">{t("label.clip.lost")}</p> : null}
        <p className="dim number">{[item.name, item.camera, ...item.slices].filter(Boolean).join(" · ")}</p>
      </div>
      <div>
        {rejecting ? <Why send={reject} leave={() => setRejecting(false)} /> : null}
        <SidePanel<ReelAct>
          sheet={reel}
          classes={project.classes}
          suggested={item.suggested}
          tools={toolsOf(reel, project.kinds, playing)}
          keys={KEYS}
          act={act}
          by={by}
          sends={sends}
          ready={there === true}
          more={spanInWords}
          select={select}
        />
      </div>
    </div>
  );
}

/** What makes a clip that plays stand still. */
const MOVING = new Set<ReelAct["do"]>(["step", "second", "begin", "last", "edge", "key", "outside", "nudge"]);

function toolsOf(reel: Reel, kinds: readonly string[], playing: boolean): Tool<ReelAct>[] {
  const one = selectedOf(reel)?.kind;
  const tools: Tool<ReelAct>[] = [
    { key: "␣", text: playing ? "label.pause" : "label.play", what: { do: "play" }, on: playing },
  ];
  if (kinds.includes("interval")) {
    tools.push(
      { key: "[", text: "label.from", what: { do: "start" }, on: reel.from !== null },
      {
        key: "]",
        text: "label.to",
        what: { do: "end", open: false },
        off: reel.from === null && one !== "interval",
      },
      {
        key: "Z",
        text: "label.zone",
        what: { do: "zone" },
        off: one !== "interval" || reel.zones.length === 0,
      },
    );
  }
  if (kinds.includes("track")) {
    tools.push(
      { key: "K", text: one === "track" ? "label.keyframe" : "label.corner", what: { do: "key" } },
      { key: "O", text: "label.outside", what: { do: "outside" }, off: one !== "track" },
    );
  }
  if (kinds.includes("tag")) {
    tools.push({ key: "T", text: "label.kind.tag", what: { do: "tags" }, on: reel.tool === "tag" });
  }
  return tools;
}

function spanInWords(one: Label): string {
  if (one.kind === "track") {
    const [from, to] = spanOf(one);
    return `${clock(from)}–${clock(to)} · ${one.keys.length}`;
  }
  if (one.kind !== "interval") return "";
  return `${clock(one.start)}–${one.end == null ? "…" : clock(one.end)}${one.zone ? ` · ${one.zone}` : ""}`;
}

function changed(
  reel: Reel,
  what: ReelAct,
  project: AnnotatorProps["project"],
  suggested: readonly Label[],
): Reel {
  const takes = (kind: string) => project.kinds.includes(kind);
  switch (what.do) {
    case "class": {
      const word = project.classes[what.at];
      return word === undefined ? reel : withWord(reel, word);
    }
    case "step":
      return atFrame(reel, reel.frame + what.by);
    case "second":
      return atFrame(reel, reel.frame + what.by * reel.clip.fps);
    case "begin":
      return atFrame(reel, 0);
    case "last":
      return atFrame(reel, reel.clip.frames - 1);
    case "edge":
      return toEdge(reel, what.by);
    case "start":
      return takes("interval") ? started(reel) : reel;
    case "end":
      return ended(reel, what.open);
    case "zone":
      return inNextZone(reel);
    case "key":
      return takes("track") ? keyed(reel) : reel;
    case "outside":
      return outside(reel);
    case "nudge":
      return nudged(reel, what.x, what.y, what.grow);
    case "tags":
      return takes("tag") ? withTool(reel, reel.tool === "tag" ? "track" : "tag") : reel;
    case "delete":
      return removed(reel, what.key);
    case "next":
      return { ...next(reel, what.by), from: null };
    case "leave":
      return { ...reel, selected: null, corners: [], from: null };
    case "undo":
      return back(reel);
    case "redo":
      return redone(reel);
    case "suggested":
      return withSuggested(reel, suggested);
    default:
      return reel;
  }
}
