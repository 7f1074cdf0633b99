import { drawSigns, radiusOf } from "./draw";
import type { Group } from "./groups";
import type { World } from "./mercator";

const KEPT = 3_000;
const WIDE = 76; // half of it: as wide as the badges of a group become
const ABOVE = 30;
const EDGE = 4;

interface Sprite {
  picture: HTMLCanvasElement;
  half: { x: number; y: number };
  height: number;
}

/** Groups drawn once and copied into each frame: what is drawn alike is one picture. */
export class Sprites {
  private byGroup = new WeakMap<Group, Sprite>();
  private readonly byLook = new Map<string, Sprite>();

  constructor(private readonly ratio: number) {}

  draw(ctx: CanvasRenderingContext2D, group: Group, { x, y }: World): void {
    const { picture, half, height } = this.of(group);
    // On whole pixels of the screen, so that nothing is blurred.
    const whole = (value: number) => Math.round(value * this.ratio) / this.ratio;
    ctx.drawImage(picture, whole(x - half.x), whole(y - half.y), 2 * half.x, height);
  }

  private of(group: Group): Sprite {
    const known = this.byGroup.get(group);
    if (known) return known;
    const look = lookOf(group);
    let sprite = this.byLook.get(look);
    if (!sprite) {
      sprite = this.made(group);
      if (this.byLook.size >= KEPT) this.byLook.clear();
      this.byLook.set(look, sprite);
    }
    this.byGroup.set(group, sprite);
    return sprite;
  }

  private made(group: Group): Sprite {
    const radius = radiusOf(group);
    const open = group.events.size + group.cases > 0;
    const half = { x: open ? WIDE : radius + EDGE, y: radius + EDGE + (open ? ABOVE : 0) };
    const height = half.y + radius + EDGE;
    const picture = document.createElement("canvas");
    picture.width = Math.ceil(2 * half.x * this.ratio);
    picture.height = Math.ceil(height * this.ratio);
    const ctx = picture.getContext("2d");
    if (ctx) {
      ctx.scale(picture.width / (2 * half.x), picture.height / height);
      drawSigns(ctx, group, half);
    }
    return { picture, half, height };
  }
}

/** Everything that a group's picture shows; groups of one look share it. */
function lookOf(group: Group): string {
  const pairs = (map: Map<string, number>) => [...map].sort().join();
  const { length } = group.places;
  return `${length}|${pairs(group.states)}|${pairs(group.events)}|${group.cases}|${group.late > 0}`;
}
