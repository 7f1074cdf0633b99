import type { Case } from "../api/client";

/** How pressing a case is: by its running clock at a moment, s since 1970 UTC. One that is on hold presses nobody. */
export function pressing(clock: Case["state"]["clock"], now: number): "calm" | "soon" | "late" | "held" {
  if (!clock || clock.name === "hold") return "held";
  const left = clock.due_utc - now;
  if (left < 0) return "late";
  return left <= Math.max(900, 0.2 * clock.limit_s) ? "soon" : "calm";
}
