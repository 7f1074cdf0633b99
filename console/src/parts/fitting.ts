/**
 * How many of a row's entries fit, from the first on, when "more" has to stand behind them unless all do.
 * Widths, the gap between two, the room there is and the width of "more" in CSS pixels.
 */
export function fitting(widths: readonly number[], gap: number, room: number, more: number): number {
  let used = 0;
  let besideMore = 0;
  for (const [at, width] of widths.entries()) {
    used += width + (at > 0 ? gap : 0);
    if (used + gap + more <= room) besideMore = at + 1;
  }
  return used <= room ? widths.length : besideMore;
}
