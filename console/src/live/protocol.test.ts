import { describe, expect, it } from "vitest";
import { contain } from "./draw";
import { decodeLive } from "./protocol";

function message(header: unknown, jpeg: number[]): ArrayBuffer {
  const head = new TextEncoder().encode(JSON.stringify(header));
  const bytes = new Uint8Array(4 + head.length + jpeg.length);
  new DataView(bytes.buffer).setUint32(0, head.length);
  bytes.set(head, 4);
  bytes.set(jpeg, 4 + head.length);
  return bytes.buffer;
}

const header = { kind: "live", camera: "gate-1", utc: 1, width: 1280, height: 720, boxes: [] };

describe("live messages", () => {
  it("splits header and picture", async () => {
    const picture = decodeLive(message({ ...header, camera: "北门-1" }, [0xff, 0xd8, 0xff]));
    expect(picture.header.camera).toBe("北门-1");
    expect(picture.jpeg.size).toBe(3);
    expect(picture.jpeg.type).toBe("image/jpeg");
  });

  it("refuses what is not a live message", () => {
    expect(() => decodeLive(new ArrayBuffer(3))).toThrow("too short");
    expect(() => decodeLive(new Uint8Array([0, 0, 1, 0, 1, 1]).buffer)).toThrow("header length 256");
    expect(() => decodeLive(message({ ...header, kind: "other" }, []))).toThrow("not a picture");
  });
});

describe("contain", () => {
  it("keeps the proportions", () => {
    expect(contain(1280, 720, 640, 480)).toEqual({ x: 0, y: 60, width: 640, height: 360 });
    expect(contain(720, 1280, 640, 320)).toEqual({ x: 230, y: 0, width: 180, height: 320 });
  });
});
