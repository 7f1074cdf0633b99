import { App as AntApp, ConfigProvider, Skeleton } from "antd";
import enUS from "antd/locale/en_US";
import zhCN from "antd/locale/zh_CN";
import { useState } from "react";
import { Navigate, Route, Routes } from "react-router";
import { EventStreamProvider } from "./api/stream";
import { useTexts } from "./i18n";
import { LettersProvider } from "./outbox/Letters";
import { Boundary } from "./parts/Boundary";
import { Nothing, Trouble } from "./parts/Trouble";
import { AlgorithmsRoom } from "./rooms/AlgorithmsRoom";
import { AnnotateRoom } from "./rooms/AnnotateRoom";
import { AuditRoom } from "./rooms/AuditRoom";
import { CameraRoom } from "./rooms/CameraRoom";
import { CamerasRoom } from "./rooms/CamerasRoom";
import { CaseRoom } from "./rooms/CaseRoom";
import { CaseSilencesRoom } from "./rooms/CaseSilencesRoom";
import { CaseStatisticsRoom } from "./rooms/CaseStatisticsRoom";
import { CasesRoom } from "./rooms/CasesRoom";
import { DatasetRoom } from "./rooms/DatasetRoom";
import { DatasetsRoom } from "./rooms/DatasetsRoom";
import { EventRoom } from "./rooms/EventRoom";
import { EventsRoom } from "./rooms/EventsRoom";
import { ExchangeRoom } from "./rooms/ExchangeRoom";
import { ExplainRoom } from "./rooms/ExplainRoom";
import { FieldRooms } from "./rooms/FieldRoom";
import { GalleryRoom } from "./rooms/GalleryRoom";
import { GrantsRoom } from "./rooms/GrantsRoom";
import { HandoverRoom } from "./rooms/HandoverRoom";
import { HealthRoom } from "./rooms/HealthRoom";
import { KeysRoom } from "./rooms/KeysRoom";
import { LabellingRoom } from "./rooms/LabellingRoom";
import { LabelProjectRoom } from "./rooms/LabelProjectRoom";
import { LoginRoom } from "./rooms/LoginRoom";
import { MapRoom } from "./rooms/MapRoom";
import { PasswordRoom } from "./rooms/PasswordRoom";
import { PeopleRoom } from "./rooms/PeopleRoom";
import { RatesRoom } from "./rooms/RatesRoom";
import { ReviewRoom } from "./rooms/ReviewRoom";
import { SecondStepRoom } from "./rooms/SecondStepRoom";
import { ForcedSetUp, SecurityRoom } from "./rooms/SecurityRoom";
import { ShiftRoom } from "./rooms/ShiftRoom";
import { SilencesRoom } from "./rooms/SilencesRoom";
import { SubscriptionRoom } from "./rooms/SubscriptionRoom";
import { SubscriptionsRoom } from "./rooms/SubscriptionsRoom";
import { TrainingRoom } from "./rooms/TrainingRoom";
import { TrainingsRoom } from "./rooms/TrainingsRoom";
import { WallRoom } from "./rooms/WallRoom";
import { home, Shell } from "./Shell";
import { type Me, useSession } from "./session";
import { THEME } from "./theme";

export function App() {
  const { language } = useTexts();
  return (
    <ConfigProvider
      theme={THEME}
      locale={language === "zh" ? zhCN : enUS}
      button={{ autoInsertSpace: false }}
    >
      <AntApp style={{ height: "100%" }}>
        <Boundary>
          <Inside />
        </Boundary>
      </AntApp>
    </ConfigProvider>
  );
}

function Inside() {
  const { me, error, retry } = useSession();
  const [settingUp, setSettingUp] = useState(false);
  if (me === undefined) {
    return (
      <div className="page">{error ? <Trouble error={error} retry={retry} /> : <Skeleton active />}</div>
    );
  }
  if (me === null) return <LoginRoom />;
  if (me.second_factor === "due") return <SecondStepRoom />;
  if (me.must_change_password) return <PasswordRoom forced />;
  if (me.must_set_up_second_factor || settingUp) return <ForcedSetUp held={setSettingUp} />;
  return (
    <Routes>
      <Route path="/m/*" element={<FieldRooms />} />
      <Route
        path="*"
        element={
          <LettersProvider key={me.name} who={me.name}>
            <Desk rights={me.rights} />
          </LettersProvider>
        }
      />
    </Routes>
  );
}

/** Every room but those of a telephone. */
function Desk({ rights }: { rights: Me["rights"] }) {
  const { t } = useTexts();
  return (
    <EventStreamProvider>
      <Shell>
        <Routes>
          <Route path="/" element={<Navigate to={home(rights)} replace />} />
          <Route path="/wall" element={<WallRoom />} />
          <Route path="/map" element={<MapRoom />} />
          <Route path="/events" element={<EventsRoom />} />
          <Route path="/events/:id" element={<EventRoom />} />
          <Route path="/review" element={<ReviewRoom />} />
          <Route path="/review/rates" element={<RatesRoom />} />
          <Route path="/cases" element={<CasesRoom />} />
          <Route path="/cases/statistics" element={<CaseStatisticsRoom />} />
          <Route path="/cases/silences" element={<CaseSilencesRoom />} />
          <Route path="/cases/:id" element={<CaseRoom />} />
          <Route path="/shift" element={<ShiftRoom />} />
          <Route path="/shift/:id" element={<HandoverRoom />} />
          <Route path="/exchange" element={<ExchangeRoom />} />
          <Route path="/cameras" element={<CamerasRoom />} />
          <Route path="/cameras/:id" element={<CameraRoom />} />
          <Route path="/cameras/:id/why" element={<ExplainRoom />} />
          <Route path="/health" element={<HealthRoom />} />
          <Route path="/password" element={<PasswordRoom />} />
          <Route path="/keys" element={<KeysRoom />} />
          <Route path="/grants" element={<GrantsRoom />} />
          <Route path="/silences" element={<SilencesRoom />} />
          <Route path="/subscriptions" element={<SubscriptionsRoom />} />
          <Route path="/subscriptions/:id" element={<SubscriptionRoom />} />
          <Route path="/people" element={<PeopleRoom />} />
          <Route path="/algorithms" element={<AlgorithmsRoom />} />
          <Route path="/gallery" element={<GalleryRoom />} />
          <Route path="/labelling" element={<LabellingRoom />} />
          <Route path="/labelling/:id" element={<LabelProjectRoom />} />
          <Route path="/labelling/:id/label" element={<AnnotateRoom key="label" work="label" />} />
          <Route path="/labelling/:id/review" element={<AnnotateRoom key="review" work="review" />} />
          <Route path="/datasets" element={<DatasetsRoom />} />
          <Route path="/datasets/:id" element={<DatasetRoom />} />
          <Route path="/trainings" element={<TrainingsRoom />} />
          <Route path="/trainings/:id" element={<TrainingRoom />} />
          <Route path="/audit" element={<AuditRoom />} />
          <Route path="/security" element={<SecurityRoom />} />
          <Route
            path="*"
            element={<Nothing title={t("error.not_found")} text={t("error.not_found.how")} />}
          />
        </Routes>
      </Shell>
    </EventStreamProvider>
  );
}
