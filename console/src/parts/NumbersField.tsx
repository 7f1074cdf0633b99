import { Input } from "antd";
import { useState } from "react";
import { numbersOf } from "./numbersOf";

interface Props {
  /** A form gives this, `onChange` and `id`. */
  value?: number[];
  /** Undefined: nothing is written; what is no number becomes NaN, for the form's rule to refuse. */
  onChange?: (values: number[] | undefined) => void;
  id?: string;
  placeholder?: string;
}

/** Several numbers in one line, with commas between them. */
export function NumbersField({ value, onChange, id, placeholder }: Props) {
  const [text, setText] = useState((value ?? []).join(", "));
  return (
    <Input
      id={id}
      value={text}
      placeholder={placeholder}
      onChange={(event) => {
        setText(event.target.value);
        onChange?.(numbersOf(event.target.value));
      }}
    />
  );
}
