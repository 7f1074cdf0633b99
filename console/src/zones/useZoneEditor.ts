import { useQueryClient } from "@tanstack/react-query";
import { App } from "antd";
import { useCallback, useEffect, useReducer, useState } from "react";
import { ApiError, type CameraDetail, call, type Zone } from "../api/client";
import { useTexts } from "../i18n";
import { inOneLine } from "../parts/Trouble";
import { type EditZone, initial, isDirty, reduce } from "./editing";

export function toEdit(zones: readonly Zone[]): EditZone[] {
  return zones.map((zone) => ({
    id: zone.id,
    name: zone.name ?? "",
    kind: zone.kind,
    polygon: zone.polygon,
    preset: zone.preset ?? null,
    capacity: zone.capacity ?? null,
    calibration: zone.calibration ?? null,
    depth_marks: zone.depth_marks ?? [],
  }));
}

/** One camera's zones being edited: the state, and saving against the revision the editing began with. */
export function useZoneEditor(camera: CameraDetail) {
  const { t } = useTexts();
  const { message } = App.useApp();
  const queries = useQueryClient();
  const [state, dispatch] = useReducer(reduce, toEdit(camera.zones), initial);
  const [base, setBase] = useState(camera.revision);
  const [saving, setSaving] = useState(false);
  const [conflict, setConflict] = useState(false);
  const [faults, setFaults] = useState(new Map<string, string>());
  const dirty = isDirty(state);

  const load = useCallback((fresh: CameraDetail) => {
    dispatch({ do: "load", zones: toEdit(fresh.zones) });
    setBase(fresh.revision);
    setFaults(new Map());
  }, []);

  // While nothing is being edited, what others change is simply shown.
  useEffect(() => {
    if (!dirty && state.drawing === null && camera.revision !== base) load(camera);
  }, [camera, base, dirty, state.drawing, load]);

  const save = async (revision: number) => {
    setSaving(true);
    setFaults(new Map());
    try {
      const saved = await call("put", "/api/cameras/{camera_id}/zones", {
        path: { camera_id: camera.id },
        header: { "if-match": `"${revision}"` },
        body: { zones: state.zones as unknown as Zone[] },
      });
      queries.setQueryData(["camera", camera.id], saved);
      void queries.invalidateQueries({ queryKey: ["cameras"] });
      load(saved);
      setConflict(false);
      void message.success(t("zones.saved"));
    } catch (error) {
      if (error instanceof ApiError && error.status === 409) setConflict(true);
      else if (error instanceof ApiError && error.status === 422) {
        setFaults(
          new Map(
            (error.problem.faults ?? []).map((f) => [f.field, f.fix ? `${f.message}; ${f.fix}` : f.message]),
          ),
        );
        void message.error(inOneLine(error, t));
      } else void message.error(inOneLine(error, t));
    } finally {
      setSaving(false);
    }
  };

  const newest = () =>
    queries.fetchQuery({
      queryKey: ["camera", camera.id],
      queryFn: () => call("get", "/api/cameras/{camera_id}", { path: { camera_id: camera.id } }),
      staleTime: 0,
    });

  return {
    state,
    dispatch,
    dirty,
    saving,
    faults,
    conflict,
    save: () => save(base),
    /** The ways out of a conflict. */
    keepMine: async () => save((await newest()).revision),
    takeTheirs: async () => {
      load(await newest());
      setConflict(false);
    },
    goOn: () => setConflict(false),
  };
}
