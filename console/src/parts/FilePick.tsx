import { UploadOutlined } from "@ant-design/icons";
import { Button } from "antd";
import { useRef } from "react";

interface Props {
  /** What is to be chosen. */
  label: string;
  accept: string;
  /** On the button. */
  choose: string;
  value?: File;
  onChange?: (file: File | undefined) => void;
}

/** Chooses one file; a field of a form. The same file may be chosen again once it was changed. */
export function FilePick({ label, accept, choose, value, onChange }: Props) {
  const picking = useRef<HTMLInputElement>(null);
  const pick = () => {
    if (!picking.current) return;
    picking.current.value = ""; // else the browser says nothing where it is the same file
    picking.current.click();
  };
  return (
    <>
      <input
        ref={picking}
        type="file"
        style={{ display: "none" }} // antd shows a hidden one in forms
        accept={accept}
        aria-label={label}
        onChange={(e) => onChange?.(e.target.files?.[0])}
      />
      <Button icon={<UploadOutlined />} onClick={pick}>
        {choose}
      </Button>{" "}
      <span className="mono">{value?.name}</span>
    </>
  );
}
