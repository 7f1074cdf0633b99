import { useQueryClient } from "@tanstack/react-query";
import { Alert, Modal } from "antd";
import { useState } from "react";
import type { CaseDetail, Schemas } from "../api/client";
import { useTexts } from "../i18n";
import { formatTime } from "../parts/time";
import { MediaBar } from "./MediaBar";

type Picture = Schemas["CasePicture"];

interface Props {
  detail: CaseDetail;
  keys: readonly string[];
  caption?: string;
}

/** Pictures of a case, masked and small; each opens large, where it may be unmasked. */
export function CasePictures({ detail, keys, caption }: Props) {
  const { t, language } = useTexts();
  const [open, setOpen] = useState<Picture | null>(null);
  const shown = detail.pictures.filter((one) => keys.includes(one.key));
  const name = caption ?? t("cases.picture");
  const address = (one: Picture) => `/api/cases/${detail.case.id}/pictures/${one.sha256}`;
  return (
    <div>
      {caption ? <div className="dim">{caption}</div> : null}
      {shown.map((one) =>
        one.deleted_utc ? (
          <div key={one.key} className="dim" data-testid="deleted" title={t("detail.deleted.how")}>
            {t("detail.deleted", { when: formatTime(one.deleted_utc, language) })}
          </div>
        ) : (
          <button key={one.key} type="button" className="case-picture" onClick={() => setOpen(one)}>
            <img src={address(one)} alt={name} />
          </button>
        ),
      )}
      {open ? <Large name={name} address={address(open)} close={() => setOpen(null)} /> : null}
    </div>
  );
}

function Large({ name, address, close }: { name: string; address: string; close: () => void }) {
  const { t } = useTexts();
  const client = useQueryClient();
  // What it is unmasked for; "": it is masked.
  const [purpose, setPurpose] = useState("");
  const [failed, setFailed] = useState("");
  const query = purpose ? `?unmasked=1&purpose=${encodeURIComponent(purpose)}` : "";
  const source = address + query;
  return (
    <Modal open title={name} footer={null} width={960} onCancel={close}>
      {failed === source ? (
        <Alert type="warning" title={t(purpose ? "cases.picture.refused" : "cases.picture.away")} />
      ) : (
        <div className="media" data-testid="case-picture-large">
          <img
            src={source}
            alt={name}
            onError={() => setFailed(source)}
            onLoad={() => void client.invalidateQueries({ queryKey: ["custody"] })}
          />
        </div>
      )}
      <MediaBar purpose={purpose} set={setPurpose} href={source} lost={failed === source} />
    </Modal>
  );
}
