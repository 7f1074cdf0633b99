import { Input, Tag } from "antd";
import { useTexts } from "../i18n";

const USUAL_S = 8 * 3600;
const HALF_HOUR_S = 1800;

/** The usual end of a shift that begins at a moment, s since 1970 UTC: eight hours on, at the nearest half hour. */
export function afterwards(begins: number): number {
  return Math.round((begins + USUAL_S) / HALF_HOUR_S) * HALF_HOUR_S;
}

const two = (n: number) => String(n).padStart(2, "0");

/** s since 1970 UTC as a field of the browser has it: the reader's own time. */
export function local(utc: number): string {
  const d = new Date(utc * 1000);
  const day = `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`;
  return `${day}T${two(d.getHours())}:${two(d.getMinutes())}`;
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
      <Input
        type="datetime-local"
        aria-label={label}
        value={local(value)}
        onChange={(e) => {
          const moment = new Date(e.target.value).getTime() / 1000;
          if (Number.isFinite(moment)) change(moment);
        }}
      />
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
