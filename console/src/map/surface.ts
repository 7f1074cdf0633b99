import { PALETTE } from "../theme";
import { drawAim, drawGraticule, drawGrids, drawMark, drawName, drawScale, radiusOf } from "./draw";
import { Atlas, type Group } from "./groups";
import type { World } from "./mercator";
import type { Grid } from "./places";
import { Sprites } from "./sprites";
import { TileLayer } from "./tiles";
import { moved, NOWHERE, type Size, toScreen, type View, zoomed } from "./view";

const NAMES_FROM = 16;
const GRIDS_FROM = 12;
const MARGIN = 40;
const GLIDE_MS = 220;

/** What is drawn, and how the view moves. One frame is drawn after a change, however many changes there were. */
export class Surface {
  private readonly ctx: CanvasRenderingContext2D;
  private atlas = new Atlas([]);
  private grids: readonly Grid[] = [];
  private tiles: TileLayer | null = null;
  private chosen: string | null = null;
  private aiming = false;
  private north = "N";
  private size: Size = [16, 9];
  private ratio = 1;
  private sprites = new Sprites(1);
  private frame = 0;
  private drawn: { group: Group; at: World }[] = [];
  private shown: View = NOWHERE;
  private glide: { from: View; to: View; since: number } | null = null;

  /**
   * @param told - of where the view has moved to
   * @param missing - told how many pictures of the ground are missing, whenever one more is
   */
  constructor(
    readonly canvas: HTMLCanvasElement,
    private readonly told: (view: View) => void,
    private readonly missing: (missing: number) => void,
  ) {
    const ctx = canvas.getContext("2d", { alpha: false });
    if (!ctx) throw new Error("this browser draws no canvas");
    this.ctx = ctx;
  }

  get view(): View {
    return this.shown;
  }

  resize(size: Size, ratio: number): void {
    this.size = size;
    if (ratio !== this.ratio) this.sprites = new Sprites(ratio);
    this.ratio = ratio;
    this.canvas.width = Math.round(size[0] * ratio);
    this.canvas.height = Math.round(size[1] * ratio);
    this.ask();
  }

  show(atlas: Atlas, grids: readonly Grid[], north: string): void {
    this.atlas = atlas;
    this.grids = grids;
    this.north = north;
    this.ask();
  }

  /** Pictures of the ground from a server of tiles; null: none. */
  ground(url: string | null): void {
    this.tiles = null;
    if (url !== null) {
      const layer = new TileLayer(url, () => {
        this.missing(layer.missing);
        this.ask();
      });
      this.tiles = layer;
    }
    this.ask();
  }

  choose(id: string | null): void {
    this.chosen = id;
    this.ask();
  }

  aim(on: boolean): void {
    this.aiming = on;
    this.ask();
  }

  /** Goes there at once, and says so. */
  go(view: View): void {
    this.glide = null;
    this.set(view);
  }

  /** Goes there in a moment; at once for who wants nothing to move. */
  fly(view: View): void {
    if (window.matchMedia("(prefers-reduced-motion: reduce)").matches) {
      this.go(view);
      return;
    }
    this.glide = { from: this.shown, to: view, since: performance.now() };
    this.ask();
  }

  drag(dx: number, dy: number): void {
    this.go(moved(this.shown, dx, dy));
  }

  /** Nearer by so many levels, around a point of the screen; null: its middle. */
  zoom(by: number, at: World | null = null): void {
    this.go(zoomed(this.shown, this.size, at ?? this.middle(), by));
  }

  middle(): World {
    return { x: this.size[0] / 2, y: this.size[1] / 2 };
  }

  /** What is drawn within `reach` pixels of a point, the nearest first; `reach` counts from its edge. */
  groupAt(point: World, reach: number): Group | null {
    let best: Group | null = null;
    let least = Number.POSITIVE_INFINITY;
    for (const { group, at } of this.drawn) {
      const badge = group.events.size + group.cases > 0 && Math.abs(point.x - at.x) < 24;
      const lift = badge && point.y < at.y - radiusOf(group) ? 24 : 0;
      const away = Math.hypot(point.x - at.x, point.y - at.y) - radiusOf(group) - lift;
      if (away <= reach && away < least) [best, least] = [group, away];
    }
    return best;
  }

  dispose(): void {
    cancelAnimationFrame(this.frame);
  }

  private set(view: View): void {
    this.shown = view;
    this.told(view);
    this.ask();
  }

  private ask(): void {
    if (this.frame === 0) this.frame = requestAnimationFrame((now) => this.turn(now));
  }

  private turn(now: number): void {
    this.frame = 0;
    if (this.glide) {
      const { from, to, since } = this.glide;
      const t = Math.min(1, Math.max(0, (now - since) / GLIDE_MS));
      const eased = t * (2 - t);
      const mix = (a: number, b: number) => a + (b - a) * eased;
      if (t === 1) this.glide = null;
      this.set({ x: mix(from.x, to.x), y: mix(from.y, to.y), zoom: mix(from.zoom, to.zoom) });
    }
    this.draw();
  }

  private draw(): void {
    const { ctx, size, shown } = this;
    ctx.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    ctx.fillStyle = PALETTE.ground;
    ctx.fillRect(0, 0, size[0], size[1]);
    if (this.tiles) this.tiles.draw(ctx, shown, size);
    else drawGraticule(ctx, shown, size);
    if (shown.zoom >= GRIDS_FROM) drawGrids(ctx, shown, size, this.grids);
    this.drawn = this.inSight();
    for (const { group, at } of this.drawn) {
      const marked = this.chosen !== null && group.places.some((place) => place.id === this.chosen);
      if (marked) drawMark(ctx, group, at);
      this.sprites.draw(ctx, group, at);
      if (shown.zoom >= NAMES_FROM && group.places.length === 1) drawName(ctx, group, at);
    }
    drawScale(ctx, shown, size, this.north);
    if (this.aiming) drawAim(ctx, size);
  }

  private inSight(): { group: Group; at: World }[] {
    const found = [];
    for (const group of this.atlas.at(this.shown.zoom)) {
      const at = toScreen(this.shown, this.size, group);
      if (at.x < -MARGIN || at.x > this.size[0] + MARGIN) continue;
      if (at.y < -MARGIN || at.y > this.size[1] + MARGIN) continue;
      found.push({ group, at });
    }
    return found;
  }
}
