import { Select } from "antd";

interface Props {
  label: string;
  value: string[];
  options: { value: string; label: string }[];
  change: (value: string[]) => void;
  width: number;
}

/** A filter of which any number may be chosen; none means all. */
export function ManySelect({ label, value, options, change, width }: Props) {
  return (
    <Select
      mode="multiple"
      maxTagCount="responsive"
      allowClear
      showSearch={{ optionFilterProp: "label" }}
      placeholder={label}
      aria-label={label}
      value={value}
      onChange={change}
      options={options}
      style={{ width }}
    />
  );
}
