import { useState } from "react";
import type { Label } from "../api/labelling";
import { useTexts } from "../i18n";
import { type Act, actOf } from "./keys";
import { LabelCanvas } from "./LabelCanvas";
import { SidePanel, type Tool } from "./SidePanel";
import {
  begun,
  closed,
  next,
  pushed,
  redone,
  type Sheet,
  taken as takenOut,
  undone,
  withCorner,
  withSuggested,
  withTool,
  withWord,
} from "./sheet";
import { type AnnotatorProps, atFirst, useAnswering, useKeys } from "./useAnswering";
import { Why } from "./Why";

const KINDS = ["box", "polygon", "tag"] as const;
const KEYS = [
  "class",
  "tool",
  "arrows",
  "space",
  "enter",
  "tab",
  "delete",
  "undo",
  "take",
  "skip",
  "reject",
] as const;

/** One picture: boxes, outlines and tags. */
export function PictureAnnotator({ task, project, work, finished, skip }: AnnotatorProps) {
  const { t } = useTexts();
  const { item } = task;
  const kinds = KINDS.filter((kind) => project.kinds.includes(kind));
  const [sheet, setSheet] = useState<Sheet>(() =>
    begun(atFirst(task), kinds[0] ?? "box", project.classes[0] ?? ""),
  );
  const [there, setThere] = useState<boolean | null>(null);
  const [rejecting, setRejecting] = useState(false);
  const { send, reject, sends, by } = useAnswering(task, work, sheet.labels, finished, there === true);

  const act = (what: Act) => {
    if (what.do === "enter" && sheet.corners.length === 0) send();
    else if (what.do === "skip") skip();
    else if (what.do === "reject") setRejecting(work === "review");
    else
      setSheet((known) =>
        changed(
          known,
          what,
          project,
          item.suggested.map((one) => one.label),
        ),
      );
  };
  useKeys(actOf, act, rejecting);
  const tools = kinds.map(
    (kind): Tool<Act> => ({
      key: kind.slice(0, 1).toUpperCase(),
      text: `label.kind.${kind}`,
      what: { do: "tool", kind },
      on: kind === sheet.tool,
    }),
  );

  return (
    <div className="detail judging" data-testid="task" data-item={item.id} data-ready={there === true}>
      <div>
        <LabelCanvas
          item={item}
          sheet={sheet}
          classes={project.classes}
          shown={setThere}
          corner={(point) => setSheet((known) => withCorner({ ...known, cursor: point }, point))}
          hover={(cursor) => setSheet((known) => ({ ...known, cursor }))}
        />
        {there === false ? <p className="dim">{t("label.picture.lost")}</p> : null}
        <p className="dim number">{[item.name, item.camera, ...item.slices].filter(Boolean).join(" · ")}</p>
      </div>
      <div>
        {rejecting ? <Why send={reject} leave={() => setRejecting(false)} /> : null}
        <SidePanel<Act>
          sheet={sheet}
          classes={project.classes}
          suggested={item.suggested}
          tools={tools}
          keys={KEYS}
          act={act}
          by={by}
          sends={sends}
          ready={there === true}
        />
      </div>
    </div>
  );
}

function changed(
  sheet: Sheet,
  what: Act,
  project: AnnotatorProps["project"],
  suggested: readonly Label[],
): Sheet {
  switch (what.do) {
    case "class": {
      const word = project.classes[what.at];
      return word === undefined ? sheet : withWord(sheet, word);
    }
    case "tool":
      return project.kinds.includes(what.kind) ? withTool(sheet, what.kind) : sheet;
    case "push":
      return pushed(sheet, what.x, what.y, what.grow);
    case "corner":
      return withCorner(sheet, sheet.cursor);
    case "enter":
      return closed(sheet);
    case "delete":
      return takenOut(sheet);
    case "next":
      return next(sheet, what.by);
    case "leave":
      return { ...sheet, selected: null, corners: [] };
    case "undo":
      return undone(sheet);
    case "redo":
      return redone(sheet);
    case "suggested":
      return withSuggested(sheet, suggested);
    default:
      return sheet;
  }
}
