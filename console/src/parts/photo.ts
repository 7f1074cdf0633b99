const SIDE = 1600; // pixels
const BYTES = 900_000; // the server takes 1 MiB
const QUALITIES = [0.85, 0.7, 0.5, 0.3];

/** A picture as JPEG, upright, its longer side `SIDE` pixels at most and within what the server takes; what a telephone
 * writes beside the pixels (where it was taken) is gone.
 *
 * Throws where the browser cannot read it. */
export async function smaller(file: Blob): Promise<File> {
  const bitmap = await createImageBitmap(file);
  const scale = Math.min(1, SIDE / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  canvas.getContext("2d")?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  let blob: Blob | null = null;
  for (const quality of QUALITIES) {
    blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/jpeg", quality));
    if (blob && blob.size <= BYTES) break;
  }
  if (!blob) throw new Error("no JPEG could be made of it");
  return new File([blob], "picture.jpg", { type: "image/jpeg" });
}
