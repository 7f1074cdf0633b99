import { TYPE_COLOURS } from "../parts/State";
import { FONT, PALETTE } from "../theme";
import type { Group } from "./groups";
import { pictogram } from "./icons";
import { graticuleStep, metresPerWorld, project, scaleBar, unproject, type World } from "./mercator";
import type { Grid } from "./places";
import { type Size, scaleOf, toScreen, toWorld, type View } from "./view";

type Context = CanvasRenderingContext2D;

export const STATE_COLOURS: Record<string, string> = {
  running: PALETTE.good,
  connecting: PALETTE.accent,
  stalled: PALETTE.warn,
  offline: PALETTE.bad,
  unknown: PALETTE.dim,
  disabled: "#566773",
};
const STATES = Object.keys(STATE_COLOURS);
const CASE_COLOUR = "#e8eef2";
const paths = new Map<string, Path2D>();

/** How far from its middle a group is drawn, pixels. */
export function radiusOf(group: Group): number {
  return group.places.length === 1 ? 7 : Math.min(26, 11 + 4 * Math.log10(group.places.length) * 1.6);
}

/** Lines of longitude and latitude, where no picture of the ground says where one is. */
export function drawGraticule(ctx: Context, view: View, size: Size): void {
  const [width, height] = size;
  const from = unproject(toWorld(view, size, { x: 0, y: height }));
  const to = unproject(toWorld(view, size, { x: width, y: 0 }));
  const step = graticuleStep(scaleOf(view) / 360, 120);
  const digits = Math.max(0, Math.ceil(-Math.log10(step)));
  ctx.strokeStyle = "#1a2831";
  ctx.lineWidth = 1;
  ctx.fillStyle = "#5d7381";
  ctx.font = `11px ${FONT}`;
  ctx.textAlign = "left";
  ctx.textBaseline = "top";
  ctx.beginPath();
  for (let n = Math.ceil(from.lon / step); n * step <= to.lon; n++) {
    const x = Math.round(toScreen(view, size, project({ lon: n * step, lat: 0 })).x) + 0.5;
    ctx.moveTo(x, 0);
    ctx.lineTo(x, height);
    ctx.fillText(`${Math.abs(n * step).toFixed(digits)}°${n < 0 ? "W" : "E"}`, x + 4, 4);
  }
  for (let n = Math.ceil(from.lat / step); n * step <= to.lat; n++) {
    const y = Math.round(toScreen(view, size, project({ lon: 0, lat: n * step })).y) + 0.5;
    ctx.moveTo(0, y);
    ctx.lineTo(width, y);
    if (y > 24) ctx.fillText(`${Math.abs(n * step).toFixed(digits)}°${n < 0 ? "S" : "N"}`, 4, y + 3);
  }
  ctx.stroke();
}

/** Shapes around the cameras of a grid, named where there is room. */
export function drawGrids(ctx: Context, view: View, size: Size, grids: readonly Grid[]): void {
  ctx.strokeStyle = "#3f5f70";
  ctx.fillStyle = "#7fa0b3";
  ctx.font = `11px ${FONT}`;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.setLineDash([5, 4]);
  ctx.beginPath();
  const scale = scaleOf(view);
  const from = toWorld(view, size, { x: 0, y: 0 });
  const to = toWorld(view, size, { x: size[0], y: size[1] });
  for (const { name, corners, west, east, north, south } of grids) {
    if (east < from.x || west > to.x || south < from.y || north > to.y) continue;
    const width = (east - west) * scale;
    if (width < 40) continue;
    corners.forEach((corner, n) => {
      const at = toScreen(view, size, corner);
      if (n === 0) ctx.moveTo(at.x, at.y);
      else ctx.lineTo(at.x, at.y);
    });
    ctx.closePath();
    if (width < 90) continue;
    const middle = toScreen(view, size, { x: (west + east) / 2, y: (north + south) / 2 });
    ctx.fillText(name, middle.x, middle.y);
  }
  ctx.stroke();
  ctx.setLineDash([]);
}

/** A ring around what is chosen. */
export function drawMark(ctx: Context, group: Group, at: World): void {
  ctx.strokeStyle = "#ffffff";
  ctx.lineWidth = 2;
  ctx.beginPath();
  ctx.arc(at.x, at.y, radiusOf(group) + 4, 0, 2 * Math.PI);
  ctx.stroke();
}

/** One camera, or several: their states by colour and shape, and on top what is open there. */
export function drawSigns(ctx: Context, group: Group, at: World): void {
  const radius = radiusOf(group);
  if (group.places.length === 1) drawState(ctx, group.places[0]?.state ?? null, at);
  else drawRing(ctx, group, at, radius);
  drawBadges(ctx, group, at, radius);
}

/** The state's colour and, for who cannot tell colours apart, its shape. */
function drawState(ctx: Context, state: string | null, { x, y }: World): void {
  const colour = STATE_COLOURS[state ?? "unknown"] ?? PALETTE.dim;
  ctx.beginPath();
  if (state === "offline") {
    ctx.rect(x - 5, y - 5, 10, 10);
  } else if (state === "stalled") {
    ctx.moveTo(x, y - 6.5);
    ctx.lineTo(x + 6.5, y + 5);
    ctx.lineTo(x - 6.5, y + 5);
    ctx.closePath();
  } else {
    ctx.arc(x, y, 5.5, 0, 2 * Math.PI);
  }
  const hollow = state === "unknown" || state === "disabled" || state === null;
  ctx.fillStyle = hollow ? PALETTE.ground : colour;
  ctx.fill();
  ctx.strokeStyle = hollow ? colour : PALETTE.ground;
  ctx.lineWidth = hollow ? 2 : 1.5;
  ctx.stroke();
  if (state !== "offline") return;
  ctx.beginPath();
  ctx.moveTo(x - 2.5, y - 2.5);
  ctx.lineTo(x + 2.5, y + 2.5);
  ctx.moveTo(x + 2.5, y - 2.5);
  ctx.lineTo(x - 2.5, y + 2.5);
  ctx.stroke();
}

/** How many, within a ring that is as much of each colour as there are cameras of that state. */
function drawRing(ctx: Context, group: Group, { x, y }: World, radius: number): void {
  ctx.fillStyle = PALETTE.raised;
  ctx.beginPath();
  ctx.arc(x, y, radius, 0, 2 * Math.PI);
  ctx.fill();
  ctx.lineWidth = 4;
  const all = [...group.states.values()].reduce((sum, n) => sum + n, 0) || 1;
  let from = -Math.PI / 2;
  for (const state of STATES) {
    const count = group.states.get(state);
    if (!count) continue;
    const to = from + (2 * Math.PI * count) / all;
    ctx.strokeStyle = STATE_COLOURS[state] ?? PALETTE.dim;
    ctx.beginPath();
    ctx.arc(x, y, radius - 2, from, to);
    ctx.stroke();
    from = to;
  }
  ctx.fillStyle = PALETTE.text;
  ctx.font = `600 ${group.places.length > 999 ? 11 : 12}px ${FONT}`;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.fillText(`${group.places.length}`, x, y + 0.5);
}

const MOST_BADGES = 3;

/** What is open there: cases, then types with the most events; what has no room is counted together. */
function drawBadges(ctx: Context, group: Group, at: World, radius: number): void {
  const types = [...group.events].sort((a, b) => b[1] - a[1]);
  const badges: [string, number, string][] = types.map(([type, n]) => [type, n, typeColour(type)]);
  if (group.cases > 0) badges.unshift(["case", group.cases, group.late > 0 ? PALETTE.bad : CASE_COLOUR]);
  if (badges.length === 0) return;
  const shown = badges.length > MOST_BADGES ? badges.slice(0, MOST_BADGES - 1) : badges;
  const rest = badges.slice(shown.length).reduce((sum, [, n]) => sum + n, 0);
  if (rest > 0) shown.push(["more", rest, PALETTE.dim]);
  ctx.font = `600 11px ${FONT}`;
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  const widths = shown.map(([, n]) => 19 + (n > 1 ? 7 * `${n}`.length + 3 : 0));
  let x = at.x - widths.reduce((sum, w) => sum + w + 2, -2) / 2;
  const y = at.y - radius - 25;
  shown.forEach(([type, n, colour], place) => {
    drawBadge(ctx, type, n, colour, { x, y }, widths[place] ?? 19);
    x += (widths[place] ?? 19) + 2;
  });
}

function drawBadge(ctx: Context, type: string, n: number, colour: string, { x, y }: World, width: number) {
  ctx.fillStyle = colour;
  ctx.strokeStyle = PALETTE.ground;
  ctx.lineWidth = 1.5;
  ctx.beginPath();
  ctx.roundRect(x, y, width, 19, 5);
  ctx.stroke();
  ctx.fill();
  ctx.fillStyle = "#0b1218";
  ctx.save();
  ctx.translate(x + 1.5, y + 1.5);
  let path = paths.get(type);
  if (!path) {
    path = new Path2D(pictogram(type));
    paths.set(type, path);
  }
  ctx.fill(path, "evenodd");
  ctx.restore();
  if (n > 1) ctx.fillText(`${n}`, x + 19, y + 10);
}

export function typeColour(type: string): string {
  return TYPE_COLOURS[type] ?? PALETTE.dim;
}

/** Name under a camera, where one is near enough to read them all. */
export function drawName(ctx: Context, group: Group, { x, y }: World): void {
  const name = group.places[0]?.name ?? "";
  ctx.font = `12px ${FONT}`;
  ctx.textAlign = "center";
  ctx.textBaseline = "top";
  ctx.strokeStyle = PALETTE.ground;
  ctx.lineWidth = 3;
  ctx.strokeText(name, x, y + 10);
  ctx.fillStyle = PALETTE.text;
  ctx.fillText(name, x, y + 10);
}

/** How long a stretch of ground is, and where north lies: up. */
export function drawScale(ctx: Context, view: View, [width, height]: Size, north: string): void {
  const { metres, pixels } = scaleBar(metresPerWorld(unproject(view).lat) / scaleOf(view), 140);
  const [x, y] = [16.5, height - 16.5];
  ctx.strokeStyle = PALETTE.text;
  ctx.fillStyle = PALETTE.text;
  ctx.lineWidth = 1.5;
  ctx.beginPath();
  ctx.moveTo(x, y - 6);
  ctx.lineTo(x, y);
  ctx.lineTo(x + pixels, y);
  ctx.lineTo(x + pixels, y - 6);
  ctx.stroke();
  ctx.font = `11px ${FONT}`;
  ctx.textAlign = "left";
  ctx.textBaseline = "bottom";
  ctx.fillText(metres >= 1000 ? `${metres / 1000} km` : `${metres} m`, x + 5, y - 2);
  const tip = { x: width - 26, y: 18 };
  ctx.beginPath();
  ctx.moveTo(tip.x, tip.y);
  ctx.lineTo(tip.x + 6, tip.y + 17);
  ctx.lineTo(tip.x, tip.y + 13);
  ctx.lineTo(tip.x - 6, tip.y + 17);
  ctx.closePath();
  ctx.fill();
  ctx.textAlign = "center";
  ctx.textBaseline = "top";
  ctx.fillText(north, tip.x, tip.y + 20);
}

/** Where Enter would look, while the keyboard moves the map. */
export function drawAim(ctx: Context, [width, height]: Size): void {
  const [x, y] = [width / 2, height / 2];
  ctx.strokeStyle = PALETTE.accent;
  ctx.lineWidth = 1.5;
  ctx.beginPath();
  for (const [dx, dy] of [
    [1, 0],
    [-1, 0],
    [0, 1],
    [0, -1],
  ] as const) {
    ctx.moveTo(x + dx * 6, y + dy * 6);
    ctx.lineTo(x + dx * 15, y + dy * 15);
  }
  ctx.stroke();
}
