import { Input, Pagination, Segmented } from "antd";
import { useDeferredValue, useState } from "react";
import { useTexts } from "../i18n";
import { Nothing } from "../parts/Trouble";
import { PlaceLine } from "./MapCard";
import type { Place } from "./places";

const PAGE = 50;
type Which = "open" | "all" | "unplaced";

interface Props {
  placed: readonly Place[];
  unplaced: readonly Place[];
  choose: (place: Place) => void;
}

/** The same as the map, for who cannot use one; and what has no place on it. */
export function MapList({ placed, unplaced, choose }: Props) {
  const { t } = useTexts();
  const [which, setWhich] = useState<Which>("open");
  const [text, setText] = useState("");
  const [page, setPage] = useState(1);
  const wanted = useDeferredValue(text.trim().toLowerCase());
  const all = [...placed, ...unplaced];
  const lists: Record<Which, readonly Place[]> = {
    open: all.filter((place) => place.events.length + place.cases.length > 0),
    all,
    unplaced,
  };
  const found = lists[which].filter(({ id, name, camera }) =>
    [id, name, camera?.grid ?? ""].some((part) => part.toLowerCase().includes(wanted)),
  );
  const pages = Math.max(1, Math.ceil(found.length / PAGE));
  const current = Math.min(page, pages);
  return (
    <aside className="map-side panel" aria-label={t("map.list")}>
      <Segmented<Which>
        block
        value={which}
        onChange={(value) => {
          setWhich(value);
          setPage(1);
        }}
        options={(["open", "all", "unplaced"] as const).map((value) => ({
          value,
          label: t(`map.list.${value}`, { n: lists[value].length }),
        }))}
      />
      <Input
        allowClear
        size="small"
        value={text}
        placeholder={t("cameras.search")}
        aria-label={t("cameras.search")}
        onChange={(event) => {
          setText(event.target.value);
          setPage(1);
        }}
      />
      {which === "unplaced" && unplaced.length > 0 ? (
        <p className="dim map-note">{t("map.unplaced.how")}</p>
      ) : null}
      <ul className="map-list" data-testid="map-list">
        {found.slice((current - 1) * PAGE, current * PAGE).map((place) => (
          <PlaceLine key={place.id} place={place} choose={choose} />
        ))}
      </ul>
      {found.length === 0 ? <Nothing title={t(`map.list.${which}.empty`)} /> : null}
      <Pagination
        simple
        size="small"
        align="center"
        hideOnSinglePage
        current={current}
        total={found.length}
        pageSize={PAGE}
        showSizeChanger={false}
        onChange={setPage}
      />
    </aside>
  );
}
