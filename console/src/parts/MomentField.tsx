import { Input } from "antd";
import { fromField, toField } from "./time";

interface Props {
  /** s since 1970 UTC; null or undefined: none. A form gives this, `onChange` and `id`. */
  value?: number | null;
  onChange?: (utc: number | null) => void;
  id?: string;
  label?: string;
  /** To the second instead of the minute. */
  seconds?: boolean;
  width?: number;
}

/** A date with a time of day, by the reader's clock. */
export function MomentField({ value, onChange, id, label, seconds = false, width }: Props) {
  return (
    <Input
      id={id}
      type="datetime-local"
      step={seconds ? 1 : undefined}
      aria-label={label}
      value={value == null ? "" : toField(value, seconds)}
      onChange={(event) => onChange?.(fromField(event.target.value))}
      style={{ width }}
    />
  );
}
