export type SilenceState = "coming" | "running" | "over";

/** Where a silence is between its two moments. */
export function stateOf(one: { from_utc: number; until_utc: number }, now: number): SilenceState {
  if (now < one.from_utc) return "coming";
  return now < one.until_utc ? "running" : "over";
}

export const COLOURS: Record<SilenceState, string> = { coming: "blue", running: "gold", over: "default" };
