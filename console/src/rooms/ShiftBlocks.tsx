import { Tag } from "antd";
import { useTexts } from "../i18n";
import { MomentField } from "../parts/MomentField";

const USUAL_S = 8 * 3600;
const HALF_HOUR_S = 1800;

/** The usual end of a shift that begins at a moment, s since 1970 UTC: eight hours on, at the nearest half hour. */
export function afterwards(begins: number): number {
  return Math.round((begins + USUAL_S) / HALF_HOUR_S) * HALF_HOUR_S;
}

/** When a shift should end. */
export function Until({
  label,
  value,
  change,
}: {
  label: string;
  value: number;
  change: (utc: number) => void;
}) {
  return (
    <div className="shift-until">
      <span className="dim">{label}</span>
      <MomentField label={label} value={value} onChange={(utc) => utc !== null && change(utc)} />
    </div>
  );
}

const MARK_COLOURS: Record<string, string> = {
  late: "error",
  due: "warning",
  supervised: "error",
  resumes: "processing",
  look: "processing",
  noted: "gold",
};

/** Why a case is handed on. */
export function MarkTag({ mark }: { mark: string }) {
  const { word } = useTexts();
  return <Tag color={MARK_COLOURS[mark] ?? "default"}>{word("shift.mark", mark)}</Tag>;
}
