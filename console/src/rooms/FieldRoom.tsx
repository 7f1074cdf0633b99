import { LogoutOutlined } from "@ant-design/icons";
import { Button, Segmented, Select, Skeleton } from "antd";
import { Link, Route, Routes, useParams } from "react-router";
import { useRights } from "../api/access";
import type { Schemas } from "../api/client";
import { useFieldCases } from "../api/field";
import { pressing } from "../field/countdown";
import { OutboxProvider, useOutbox } from "../field/Outbox";
import { usePosition, type Whereabouts } from "../field/usePosition";
import { distance, formatDistance } from "../field/way";
import { useTexts } from "../i18n";
import { CaseClock, CaseStatus, useCategoryName, useNow } from "../parts/Cases";
import { SeverityTag } from "../parts/State";
import { Nothing, Trouble } from "../parts/Trouble";
import { useStored } from "../parts/useStored";
import { LanguageSwitch } from "../Shell";
import { useSession } from "../session";
import { FieldCase } from "./FieldCase";
import "../field/field.css";

type Which = "waiting" | "reported";

/** For people on the street, on a telephone: what waits for them, the way there, and the report that it is done. */
export function FieldRooms() {
  const { t } = useTexts();
  const { me } = useSession();
  const may = useRights();
  const whereabouts = usePosition();
  if (!me || !may("handle")) {
    return <Nothing title={t("error.forbidden")} text={t("error.forbidden.how")} />;
  }
  return (
    <OutboxProvider who={me.name}>
      <div className="field-page">
        <Bar name={me.name} />
        <main>
          <Routes>
            <Route path="/" element={<List whereabouts={whereabouts} />} />
            <Route path=":id" element={<One whereabouts={whereabouts} />} />
          </Routes>
        </main>
      </div>
    </OutboxProvider>
  );
}

function One({ whereabouts }: { whereabouts: Whereabouts }) {
  const { id = "" } = useParams();
  return <FieldCase key={id} number={Number(id)} whereabouts={whereabouts} />;
}

function Bar({ name }: { name: string }) {
  const { t } = useTexts();
  const { logout } = useSession();
  return (
    <header className="field-bar">
      <Link to="/m" className="brand">
        <img src="/icon.svg" alt="" />
        {t("field.title")}
      </Link>
      <span className="dim field-who">{name}</span>
      <LanguageSwitch />
      <Button
        type="text"
        icon={<LogoutOutlined />}
        aria-label={t("nav.logout")}
        onClick={() => void logout()}
      />
    </header>
  );
}

function List({ whereabouts }: { whereabouts: Whereabouts }) {
  const { t } = useTexts();
  const [which, setWhich] = useStored<Which>("field.which", "waiting");
  const [crew, setCrew] = useStored("field.crew", "");
  const { data, error, isPending, refetch } = useFieldCases(which, crew);
  const crews = data?.crews ?? [];
  return (
    <>
      <Unsent />
      <Segmented<Which>
        block
        size="large"
        value={which}
        onChange={setWhich}
        options={(["waiting", "reported"] as const).map((value) => ({
          value,
          label: t(`field.which.${value}`),
        }))}
      />
      {crews.length > 0 || crew ? (
        <Select
          size="large"
          allowClear
          placeholder={t("field.crew")}
          aria-label={t("field.crew")}
          value={crew || undefined}
          onChange={(value) => setCrew(value ?? "")}
          options={crews.map((value) => ({ value, label: value }))}
          style={{ width: "100%" }}
        />
      ) : null}
      {error ? <Trouble error={error} retry={() => void refetch()} /> : null}
      {isPending ? <Skeleton active paragraph={{ rows: 8 }} /> : null}
      {data?.cases.map((one) => (
        <Card key={one.case.id} one={one} whereabouts={whereabouts} />
      ))}
      {data && data.total > data.cases.length ? (
        <p className="dim">{t("field.more", { n: data.total - data.cases.length })}</p>
      ) : null}
      {data?.total === 0 ? <Nothing title={t(`field.empty.${which}`)} text={t("field.empty.how")} /> : null}
      {data && whereabouts.possible && !whereabouts.here ? (
        <Button size="large" block onClick={whereabouts.ask}>
          {t("field.locate")}
        </Button>
      ) : null}
    </>
  );
}

/** Reports that wait for the line, or for their writer. */
function Unsent() {
  const { t } = useTexts();
  const { drafts = [] } = useOutbox();
  if (drafts.length === 0) return null;
  return (
    <ul className="field-unsent" data-testid="unsent">
      {drafts.map((one) => (
        <li key={one.id} className={one.state}>
          <Link to={`/m/${one.number}`}>
            #{one.number} · {t(`field.draft.${one.state}`)}
          </Link>
        </li>
      ))}
    </ul>
  );
}

function Card({ one, whereabouts }: { one: Schemas["FieldCase"]; whereabouts: Whereabouts }) {
  const { t } = useTexts();
  const categoryName = useCategoryName();
  const now = useNow(5_000);
  const { id, category, severity, state } = one.case;
  return (
    <Link
      to={`/m/${id}`}
      className={`field-card ${pressing(state.clock, now)}`}
      data-testid="field-card"
      data-pressing={pressing(state.clock, now)}
    >
      <div className="field-row">
        <b>{categoryName(category)}</b>
        <span className="field-clock">
          <CaseClock clock={state.clock} />
        </span>
      </div>
      <div>{one.place}</div>
      <div className="field-row dim">
        <span>
          #{id}
          {state.crew ? ` · ${state.crew}` : ""}
          {whereabouts.here && one.position
            ? ` · ${formatDistance(distance(whereabouts.here, one.position), t)}`
            : ""}
        </span>
        <span>
          <SeverityTag severity={severity} />
          <CaseStatus status={state.status} />
        </span>
      </div>
    </Link>
  );
}
