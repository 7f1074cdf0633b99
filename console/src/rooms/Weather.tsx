import { Button, Form, Select, Skeleton, Tag } from "antd";
import { useState } from "react";
import { useRights } from "../api/access";
import { type Spell, useBeginWeather, useEndWeather, useWeather, type WeatherBody } from "../api/weather";
import { useTexts } from "../i18n";
import { FormModal } from "../parts/FormModal";
import { Trouble } from "../parts/Trouble";
import { formatTime } from "../parts/time";

const KINDS = ["rain", "snow", "fog", "dust", "wind"] as const;

/** The weather of the last day as it was told, and telling it. */
export function Weather() {
  const { t } = useTexts();
  const { data, error, isPending, refetch } = useWeather();
  const dispatches = useRights()("dispatch");
  const [telling, setTelling] = useState(false);
  return (
    <section className="panel" data-testid="weather">
      <div className="head">
        <h2 style={{ margin: 0 }}>{t("weather.title")}</h2>
        <span className="dim">{t("weather.about")}</span>
        {dispatches ? (
          <Button className="push" size="small" onClick={() => setTelling(true)}>
            {t("weather.tell")}
          </Button>
        ) : null}
      </div>
      {isPending ? <Skeleton active paragraph={{ rows: 1 }} /> : null}
      {error && !data ? <Trouble error={error} retry={() => void refetch()} /> : null}
      {data?.length === 0 ? <p className="dim">{t("weather.none")}</p> : null}
      {data?.map((spell) => (
        <Line key={spell.id} spell={spell} ends={dispatches} />
      ))}
      {telling ? <Telling close={() => setTelling(false)} /> : null}
    </section>
  );
}

function Line({ spell, ends }: { spell: Spell; ends: boolean }) {
  const { t, word, language } = useTexts();
  const ending = useEndWeather();
  const { since_utc: since, until_utc: until, grids } = spell;
  const from = formatTime(since, language);
  return (
    <p data-testid="weather-spell">
      <Tag color={until === null ? "blue" : "default"}>{word("weather", spell.kind)}</Tag>
      {grids.length ? grids.join(" · ") : t("weather.everywhere")}{" "}
      <span className="number">
        {until === null
          ? t("weather.since", { time: from })
          : t("weather.span", { from, to: formatTime(until, language) })}
      </span>{" "}
      <span className="dim">{t("weather.by", { who: spell.said_by })}</span>{" "}
      {ends && until === null ? (
        <Button size="small" loading={ending.isPending} onClick={() => ending.mutate(spell.id)}>
          {t("weather.end")}
        </Button>
      ) : null}
      {ending.error ? <Trouble error={ending.error} /> : null}
    </p>
  );
}

function Telling({ close }: { close: () => void }) {
  const { t, word } = useTexts();
  const [form] = Form.useForm<WeatherBody>();
  const beginning = useBeginWeather(close);
  return (
    <FormModal<WeatherBody>
      form={form}
      title={t("weather.tell")}
      send={t("weather.tell")}
      sending={beginning.isPending}
      error={beginning.error}
      close={close}
      onFinish={({ kind, grids }) => beginning.mutate({ kind, grids: grids ?? [], since_utc: null })}
      initialValues={{ kind: "rain", grids: [] }}
    >
      <Form.Item name="kind" label={t("weather.kind")}>
        <Select options={KINDS.map((kind) => ({ value: kind, label: word("weather", kind) }))} />
      </Form.Item>
      <Form.Item name="grids" label={t("weather.grids")}>
        <Select mode="tags" tokenSeparators={[" ", ",", "，"]} />
      </Form.Item>
    </FormModal>
  );
}
