import { Select } from "antd";
import { useDeferredValue, useState } from "react";
import { useCameras } from "../api/queries";

interface Props {
  value: string[];
  onChange: (ids: string[]) => void;
  placeholder: string;
  width: number;
  most?: number;
}

/** Chooses cameras by searching for them: the list of a city is too long to be shown whole. */
export function CameraSelect({ value, onChange, placeholder, width, most }: Props) {
  const [open, setOpen] = useState(false);
  const [text, setText] = useState("");
  const q = useDeferredValue(text.trim());
  const found = useCameras({ q, limit: 30 }, { once: true, enabled: open });
  const chosen = useCameras({ id: value, limit: 200 }, { once: true, enabled: value.length > 0 });
  const options = new Map(value.map((id) => [id, id]));
  for (const camera of [...(chosen.data?.cameras ?? []), ...(found.data?.cameras ?? [])]) {
    if (camera.id !== camera.name) options.set(camera.id, camera.name);
  }
  return (
    <Select
      mode="multiple"
      allowClear
      maxTagCount="responsive"
      maxCount={most}
      showSearch={{ filterOption: false, onSearch: setText }}
      loading={found.isFetching}
      placeholder={placeholder}
      aria-label={placeholder}
      value={value}
      onChange={onChange}
      onOpenChange={setOpen}
      options={[...options].map(([id, label]) => ({ value: id, label }))}
      style={{ width }}
    />
  );
}
