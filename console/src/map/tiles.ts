import { type Size, scaleOf, toScreen, type View } from "./view";

const KEPT = 400;
const AT_ONCE = 8;
const DEEPEST = 18;

interface Tile {
  image: HTMLImageElement;
  state: "waiting" | "there" | "missing";
}

/** Which tiles cover the screen, at the whole zoom level that shows them at nearly their own size. */
export function tilesOf(view: View, [width, height]: Size): { z: number; x: number; y: number }[] {
  const z = Math.max(0, Math.min(DEEPEST, Math.round(view.zoom)));
  const count = 2 ** z;
  const half = { x: width / 2 / scaleOf(view), y: height / 2 / scaleOf(view) };
  const first = (at: number, by: number) => Math.max(0, Math.floor((at - by) * count));
  const last = (at: number, by: number) => Math.min(count - 1, Math.floor((at + by) * count));
  const found = [];
  for (let y = first(view.y, half.y); y <= last(view.y, half.y); y++) {
    for (let x = first(view.x, half.x); x <= last(view.x, half.x); x++) found.push({ z, x, y });
  }
  return found;
}

/** Pictures of the ground: fetched when they come into sight, the longest unseen forgotten first. */
export class TileLayer {
  private readonly tiles = new Map<string, Tile>();
  private loading = 0;
  /** that could not be had, of those asked for so far */
  missing = 0;

  constructor(
    private readonly url: string,
    private readonly changed: () => void,
  ) {}

  draw(ctx: CanvasRenderingContext2D, view: View, size: Size): void {
    for (const { z, x, y } of tilesOf(view, size)) {
      const [tile, away] = this.best(z, x, y);
      if (!tile) continue;
      const count = 2 ** z;
      const from = toScreen(view, size, { x: x / count, y: y / count });
      const to = toScreen(view, size, { x: (x + 1) / count, y: (y + 1) / count });
      // Of a coarser tile the part that lies here.
      const wide = tile.image.naturalWidth / 2 ** away; // some servers have tiles of 512
      const high = tile.image.naturalHeight / 2 ** away;
      const [sx, sy] = [(x % 2 ** away) * wide, (y % 2 ** away) * high];
      ctx.drawImage(tile.image, sx, sy, wide, high, from.x, from.y, to.x - from.x, to.y - from.y);
    }
  }

  /** The tile itself, or what a coarser one shows of it meanwhile; and how many levels coarser that is. */
  private best(z: number, x: number, y: number): [Tile | null, number] {
    for (let away = 0; away <= Math.min(z, 4); away++) {
      const tile = away === 0 ? this.wanted(z, x, y) : this.tiles.get(key(z - away, x >> away, y >> away));
      if (tile?.state === "there") return [tile, away];
    }
    return [null, 0];
  }

  private wanted(z: number, x: number, y: number): Tile | undefined {
    const name = key(z, x, y);
    const known = this.tiles.get(name);
    if (known) {
      this.tiles.delete(name); // it moves to the end: seen last
      this.tiles.set(name, known);
      return known;
    }
    if (this.loading >= AT_ONCE) return undefined; // asked for again when one of those has come
    const tile: Tile = { image: new Image(), state: "waiting" };
    const done = (state: Tile["state"]) => () => {
      tile.state = state;
      this.loading -= 1;
      if (state === "missing") this.missing += 1;
      this.changed();
    };
    tile.image.onload = done("there");
    tile.image.onerror = done("missing");
    tile.image.src = this.url.replace("{z}", `${z}`).replace("{x}", `${x}`).replace("{y}", `${y}`);
    this.loading += 1;
    this.tiles.set(name, tile);
    for (const [old, one] of this.tiles) {
      if (this.tiles.size <= KEPT) break;
      if (one.state !== "waiting") this.tiles.delete(old);
    }
    return tile;
  }
}

function key(z: number, x: number, y: number): string {
  return `${z}/${x}/${y}`;
}
