/** The message format of contracts/live.py: 4 bytes big-endian header length, JSON header, JPEG. */

export interface LiveBox {
  track: number;
  object_class: string;
  score: number;
  /** x1 y1 x2 y2, 0..1 of the picture */
  box: [number, number, number, number];
  alarm: boolean;
}

export interface LiveHeader {
  kind: "live";
  camera: string;
  utc: number;
  width: number;
  height: number;
  boxes: LiveBox[];
}

export interface LivePicture {
  header: LiveHeader;
  jpeg: Blob;
}

/** Throws on anything that is not a live message. */
export function decodeLive(message: ArrayBuffer): LivePicture {
  if (message.byteLength < 5) throw new Error("live message: too short");
  const length = new DataView(message).getUint32(0);
  if (length === 0 || length > message.byteLength - 4) {
    throw new Error(`live message: header length ${length} of ${message.byteLength} bytes`);
  }
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(message, 4, length))) as LiveHeader;
  if (header.kind !== "live") throw new Error("live message: not a picture");
  return { header, jpeg: new Blob([new Uint8Array(message, 4 + length)], { type: "image/jpeg" }) };
}
