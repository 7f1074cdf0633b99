import { useState } from "react";
import { useZoneProposals } from "../api/queries";
import { useTexts } from "../i18n";
import { type EditState, isTaken, type Proposal, type ZoneKind } from "./editing";
import { toEdit } from "./useZoneEditor";

/** A proposal as it is shown. */
export interface Offer extends Proposal {
  key: string;
  /** the reason, in the language of the page */
  why: string;
}

/**
 * What the camera proposes and nobody has taken over yet; hidden until asked for, unless the camera has moved.
 * `wanted`: whether whoever looks may draw zones.
 */
export function useProposals(camera: string, state: EditState, wanted: boolean) {
  const { language } = useTexts();
  const { data } = useZoneProposals(camera, wanted);
  const [asked, setAsked] = useState(false);
  const offers: Offer[] = (data?.proposals ?? [])
    .map((one, index) => ({
      key: `${one.kind}-${index}`,
      kind: one.kind as ZoneKind,
      polygon: one.polygon,
      replaces: one.replaces ? (toEdit([one.replaces])[0] ?? null) : null,
      why: one.why[language] ?? "",
    }))
    .filter((offer) => !isTaken(state.zones, offer));
  const moved = offers.filter((offer) => offer.replaces !== null);
  return { offers, moved, shown: asked || moved.length > 0 ? offers : [], asked, setAsked };
}
