/** Pictograms of what is open, drawn in a square of 16 units; filled by the even-odd rule. */
const PATHS: Record<string, string> = {
  illegal_parking: "M4 2h5a4 4 0 0 1 0 8H6.5v4H4ZM6.5 4.4v3.2H9a1.6 1.6 0 0 0 0-3.2Z",
  crowding:
    "M8 2.2a2.2 2.2 0 1 1 0 4.4 2.2 2.2 0 0 1 0-4.4ZM4.6 13c0-3 1.2-5 3.4-5s3.4 2 3.4 5ZM3.2 4.6a1.6 1.6 0 1 1 0 3.2 1.6 1.6 0 0 1 0-3.2ZM.8 13c0-2.6.9-4.2 2.4-4.2l.9.2C3.4 10.2 3.2 11.5 3.2 13ZM12.8 4.6a1.6 1.6 0 1 1 0 3.2 1.6 1.6 0 0 1 0-3.2ZM15.2 13c0-2.6-.9-4.2-2.4-4.2l-.9.2c.7 1.2.9 2.5.9 4Z",
  waterlogging: "M8 1.5c2.6 3.6 4.2 5.9 4.2 8.3a4.2 4.2 0 0 1-8.4 0c0-2.4 1.6-4.7 4.2-8.3Z",
  litter: "M6 1.8h4v1.4h3.5v1.6h-11V3.2H6ZM3.5 6h9l-.8 8.5H4.3ZM6 7.5v5.5h1.2V7.5ZM8.8 7.5v5.5H10V7.5Z",
  camera_health: "M1.5 5h8.5v6.5H1.5ZM10.8 7l3.7-2v6.5l-3.7-2ZM2.5 2l11.5 11.5-1 1L1.5 3Z",
};
const OTHER = "M7 2h2v8H7ZM7 12h2v2H7Z";
const CASE = "M2 3h4.5l1.5 2h6v8.5H2ZM4 7.5V9h8V7.5Z";

/** The outline of a type's pictogram; `case` is that of cases. */
export function pictogram(type: string): string {
  return type === "case" ? CASE : (PATHS[type] ?? OTHER);
}
