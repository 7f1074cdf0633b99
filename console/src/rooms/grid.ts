/** The arrangement of `count` pictures of 16:9 that shows them largest in a box, all of one size.
 *
 * Returns the number of columns and the width of one picture, px. */
export function bestGrid(
  count: number,
  width: number,
  height: number,
  gap: number,
): { columns: number; tile: number } {
  let best = { columns: 1, tile: 0 };
  for (let columns = 1; columns <= count; columns++) {
    const rows = Math.ceil(count / columns);
    const byWidth = (width - gap * (columns - 1)) / columns;
    const byHeight = (((height - gap * (rows - 1)) / rows) * 16) / 9;
    const tile = Math.floor(Math.min(byWidth, byHeight));
    if (tile > best.tile) best = { columns, tile };
  }
  return best;
}
