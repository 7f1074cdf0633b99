import { UploadOutlined } from "@ant-design/icons";
import { Alert, Button, InputNumber, Segmented, Skeleton, Tag } from "antd";
import { useEffect, useRef, useState } from "react";
import { type Exhibit, isClip, useGallery, useTry } from "../api/gallery";
import { useTexts } from "../i18n";
import { Refusal, Trouble } from "../parts/Trouble";
import { GalleryAnswer } from "./GalleryAnswer";
import { GalleryGround } from "./GalleryGround";
import { GalleryRequests } from "./GalleryRequests";
import "./gallery.css";

/** 算法展示: any department tries an algorithm on its own picture or clip, and asks for it on its cameras. */
export function GalleryRoom() {
  const { t, word } = useTexts();
  const { data, error, isPending, refetch } = useGallery();
  const [chosen, setChosen] = useState("waterlogging");
  const exhibit = data?.find((one) => one.algorithm === chosen) ?? data?.[0];
  return (
    <div className="page">
      <div className="head">
        <h1>{t("gallery.title")}</h1>
      </div>
      <section className="panel">
        <p className="dim">{t("gallery.about")}</p>
        {isPending ? <Skeleton active /> : null}
        {error && !data ? <Trouble error={error} retry={() => void refetch()} /> : null}
        {exhibit ? (
          <>
            <Segmented<string>
              value={exhibit.algorithm}
              onChange={setChosen}
              options={(data ?? []).map((one) => ({
                value: one.algorithm,
                label: word("event", one.algorithm),
              }))}
            />
            <Attempting key={exhibit.algorithm} exhibit={exhibit} />
          </>
        ) : null}
      </section>
      {exhibit ? <GalleryRequests algorithm={exhibit.algorithm} /> : null}
    </div>
  );
}

function Attempting({ exhibit }: { exhibit: Exhibit }) {
  const { t } = useTexts();
  const [file, setFile] = useState<File | null>(null);
  const [corners, setCorners] = useState<[number, number][]>([]);
  const [after, setAfter] = useState(10);
  const [people, setPeople] = useState(10);
  const picking = useRef<HTMLInputElement>(null);
  const trying = useTry();
  const src = useObjectUrl(file);
  const { algorithm } = exhibit;
  const fits = file !== null && (exhibit.on_picture || isClip(file));
  const choose = (chosen: File | undefined) => {
    if (!chosen) return;
    setFile(chosen);
    setCorners([]);
    trying.reset();
  };
  return (
    <div className="gallery-try">
      <div className="filters">
        <input
          ref={picking}
          type="file"
          hidden
          accept={exhibit.on_picture ? "image/jpeg,image/png,video/*" : "video/*,.h264,.gif"}
          aria-label={t("gallery.file")}
          onChange={(e) => choose(e.target.files?.[0])}
        />
        <Button icon={<UploadOutlined />} onClick={() => picking.current?.click()}>
          {t(exhibit.on_picture ? "gallery.choose" : "gallery.choose.clip")}
        </Button>
        <InputNumber
          prefix={t("gallery.after")}
          aria-label={t("gallery.after")}
          min={2}
          max={120}
          value={after}
          onChange={(value) => setAfter(value ?? 10)}
          style={{ width: 220 }}
        />
        {algorithm === "crowding" ? (
          <InputNumber
            prefix={t("gallery.people")}
            aria-label={t("gallery.people")}
            min={1}
            max={10000}
            value={people}
            onChange={(value) => setPeople(value ?? 10)}
            style={{ width: 220 }}
          />
        ) : null}
        {exhibit.version ? <Tag>{t("gallery.version", { version: exhibit.version })}</Tag> : null}
      </div>
      {file && src ? (
        <GalleryGround
          src={src}
          clip={isClip(file)}
          corners={corners}
          change={exhibit.zone ? setCorners : null}
        />
      ) : null}
      {file && !fits ? <Alert type="warning" showIcon title={t("gallery.needs.clip")} /> : null}
      <Button
        type="primary"
        disabled={!fits}
        loading={trying.isPending}
        onClick={() => file && trying.mutate({ algorithm, file, corners, after, people })}
      >
        {t("gallery.try")}
      </Button>
      {trying.error ? <Refusal error={trying.error} /> : null}
      {trying.data ? <GalleryAnswer told={trying.data} /> : null}
    </div>
  );
}

/** An address for a file that the browser holds; given back when it is no longer shown. */
function useObjectUrl(file: File | null): string | null {
  const [url, setUrl] = useState<string | null>(null);
  useEffect(() => {
    if (!file) return;
    const made = URL.createObjectURL(file);
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [file]);
  return url;
}
