import type { LiveBox } from "./protocol";

export interface DrawnZone {
  id: string;
  name: string;
  kind: string;
  polygon: readonly (readonly [number, number])[];
}

export interface Frame {
  x: number;
  y: number;
  width: number;
  height: number;
}

export const ZONE_COLOURS: Record<string, string> = {
  no_parking: "#f0a04b",
  road: "#7aa2c8",
  square: "#62c3a5",
  sidewalk: "#62c3a5",
  platform: "#b79be0",
  bin: "#c9b458",
  area: "#8fb8d8",
};
const ALARM = "#ff5d5d";
const CLASS_COLOURS: Record<string, string> = {
  person: "#7fd6a4",
  bicycle: "#c4d66b",
  motorcycle: "#c4d66b",
};
const VEHICLE = "#67b7e8";

/** Where a picture of `width`×`height` lies inside a box when it is shown whole. */
export function contain(width: number, height: number, boxWidth: number, boxHeight: number): Frame {
  if (width <= 0 || height <= 0) return { x: 0, y: 0, width: boxWidth, height: boxHeight };
  const scale = Math.min(boxWidth / width, boxHeight / height);
  const w = width * scale;
  const h = height * scale;
  return { x: (boxWidth - w) / 2, y: (boxHeight - h) / 2, width: w, height: h };
}

export function zoneColour(kind: string): string {
  return ZONE_COLOURS[kind] ?? "#8fb8d8";
}

export function drawZones(ctx: CanvasRenderingContext2D, zones: readonly DrawnZone[], frame: Frame): void {
  for (const zone of zones) {
    const colour = zoneColour(zone.kind);
    ctx.beginPath();
    zone.polygon.forEach(([x, y], index) => {
      const px = frame.x + x * frame.width;
      const py = frame.y + y * frame.height;
      if (index === 0) ctx.moveTo(px, py);
      else ctx.lineTo(px, py);
    });
    ctx.closePath();
    ctx.fillStyle = `${colour}1f`;
    ctx.fill();
    ctx.strokeStyle = `${colour}cc`;
    ctx.lineWidth = 1.25;
    ctx.stroke();
  }
}

export function drawBoxes(
  ctx: CanvasRenderingContext2D,
  boxes: readonly LiveBox[],
  frame: Frame,
  label: (objectClass: string) => string,
): void {
  const withLabels = frame.width >= 420;
  ctx.font = "11px system-ui, 'Noto Sans CJK SC', sans-serif";
  ctx.textBaseline = "bottom";
  for (const { box, object_class, alarm } of boxes) {
    const colour = alarm ? ALARM : (CLASS_COLOURS[object_class] ?? VEHICLE);
    const x = frame.x + box[0] * frame.width;
    const y = frame.y + box[1] * frame.height;
    const width = (box[2] - box[0]) * frame.width;
    const height = (box[3] - box[1]) * frame.height;
    ctx.strokeStyle = colour;
    ctx.lineWidth = alarm ? 2.25 : 1.25;
    ctx.strokeRect(x, y, width, height);
    if (!withLabels && !alarm) continue;
    const text = label(object_class);
    const textWidth = ctx.measureText(text).width + 6;
    const top = Math.max(frame.y + 14, y);
    // Kept inside the picture: a vehicle often stands at its edge.
    const left = Math.max(frame.x, Math.min(x - 0.6, frame.x + frame.width - textWidth));
    ctx.fillStyle = alarm ? ALARM : "rgba(8, 16, 22, .72)";
    ctx.fillRect(left, top - 14, textWidth, 14);
    ctx.fillStyle = alarm ? "#1a0606" : colour;
    ctx.fillText(text, left + 3, top - 1);
  }
}
