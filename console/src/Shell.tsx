import {
  ApiOutlined,
  AppstoreOutlined,
  AuditOutlined,
  BellOutlined,
  BulbOutlined,
  CheckSquareOutlined,
  CloudSyncOutlined,
  DatabaseOutlined,
  EnvironmentOutlined,
  ExperimentOutlined,
  FileSearchOutlined,
  HeartOutlined,
  HighlightOutlined,
  KeyOutlined,
  LineChartOutlined,
  LogoutOutlined,
  MobileOutlined,
  PauseCircleOutlined,
  PercentageOutlined,
  SafetyOutlined,
  SendOutlined,
  SwapOutlined,
  TeamOutlined,
  UserOutlined,
  VideoCameraOutlined,
} from "@ant-design/icons";
import { Badge, Button, Dropdown, Tooltip } from "antd";
import type { ReactNode } from "react";
import { NavLink, useLocation, useNavigate } from "react-router";
import { type Right, useGrants, useRights } from "./api/access";
import { useTallies } from "./api/queries";
import { useSubscriptions } from "./api/subscriptions";
import { type TextKey, useTexts } from "./i18n";
import { Boundary } from "./parts/Boundary";
import { Nothing } from "./parts/Trouble";
import { RoomLinks } from "./RoomLinks";
import { useSession } from "./session";

/** Which rooms there are, and the rights of which one opens each. */
const ROOMS: { to: string; text: TextKey; icon: ReactNode; rights: Right[]; unless?: Right }[] = [
  { to: "/wall", text: "nav.wall", icon: <AppstoreOutlined />, rights: ["see"] },
  { to: "/map", text: "nav.map", icon: <EnvironmentOutlined />, rights: ["see"] },
  { to: "/events", text: "nav.events", icon: <BellOutlined />, rights: ["see"] },
  { to: "/review", text: "nav.review", icon: <CheckSquareOutlined />, rights: ["judge"] },
  { to: "/cases", text: "nav.cases", icon: <AuditOutlined />, rights: ["dispatch", "handle"] },
  { to: "/shift", text: "nav.shift", icon: <SwapOutlined />, rights: ["dispatch"] },
  { to: "/exchange", text: "nav.exchange", icon: <CloudSyncOutlined />, rights: ["dispatch"] },
  { to: "/cameras", text: "nav.cameras", icon: <VideoCameraOutlined />, rights: ["see"] },
  { to: "/subscriptions", text: "nav.subscriptions", icon: <SendOutlined />, rights: ["subscribe"] },
  { to: "/silences", text: "nav.silences", icon: <PauseCircleOutlined />, rights: ["subscribe"] },
  { to: "/grants", text: "nav.grants", icon: <KeyOutlined />, rights: ["ask", "decide"] },
  { to: "/health", text: "nav.health", icon: <HeartOutlined />, rights: ["operate"] },
  { to: "/audit", text: "nav.audit", icon: <FileSearchOutlined />, rights: ["audit"] },
  { to: "/labelling", text: "nav.labelling", icon: <HighlightOutlined />, rights: ["label"] },
  { to: "/datasets", text: "nav.datasets", icon: <DatabaseOutlined />, rights: ["label"] },
  { to: "/trainings", text: "nav.trainings", icon: <LineChartOutlined />, rights: ["label"] },
  { to: "/algorithms", text: "nav.algorithms", icon: <ExperimentOutlined />, rights: ["label", "audit"] },
  { to: "/gallery", text: "nav.gallery", icon: <BulbOutlined />, rights: ["see"] },
  // Who judges has it as a tab of that room.
  {
    to: "/review/rates",
    text: "nav.rates",
    icon: <PercentageOutlined />,
    rights: ["see", "count"],
    unless: "judge",
  },
];

/** Rooms behind the account's menu or a link on another page; they count before the rooms above. */
const BEHIND: { to: string; rights: Right[] }[] = [
  { to: "/cases/statistics", rights: ["see", "count"] },
  { to: "/cases/silences", rights: ["dispatch"] },
  { to: "/shift", rights: ["dispatch", "audit"] }, // auditors come from their own room, and only read
  { to: "/people", rights: ["people"] },
  { to: "/keys", rights: ["people"] },
];

/** The rights of which one opens the room at an address; undefined: it is open to everybody. */
function needed(path: string): Right[] | undefined {
  const fitting = [...BEHIND, ...ROOMS].filter(({ to }) => path === to || path.startsWith(`${to}/`));
  return fitting.sort((a, b) => b.to.length - a.to.length)[0]?.rights; // the innermost room
}

/** The room that somebody begins in: the first that their role opens. */
export function home(rights: Right[]): string {
  return ROOMS.find((room) => room.rights.some((right) => rights.includes(right)))?.to ?? "/security";
}

const TALLIED = ["running", "connecting", "stalled", "offline", "unknown"] as const;

/** The frame around every room: where one can go, how the cameras are, and who one is. */
export function Shell({ children }: { children: ReactNode }) {
  const { t } = useTexts();
  const may = useRights();
  const rights = useSession().me?.rights ?? [];
  const asked = needed(useLocation().pathname);
  return (
    <div className="shell">
      <a className="skip" href="#room">
        {t("nav.skip")}
      </a>
      <header className="bar">
        <NavLink to={home(rights)} className="brand">
          <img src="/icon.svg" alt="" />
          <span>{t("app.name")}</span>
        </NavLink>
        <RoomLinks
          rooms={ROOMS.filter(({ rights, unless }) => may(...rights) && !(unless && may(unless))).map(
            ({ to, text, icon }) => ({
              to,
              icon,
              label: (
                <>
                  {t(text)}
                  {to === "/grants" ? <Waiting /> : null}
                  {to === "/subscriptions" ? <Failing /> : null}
                </>
              ),
            }),
          )}
        />
        <Detectors />
        <Tally />
        <LanguageSwitch />
        <Account />
      </header>
      <main className="room" id="room">
        {asked && !may(...asked) ? (
          <Nothing title={t("error.forbidden")} text={t("error.forbidden.how")} />
        ) : (
          <Boundary>{children}</Boundary>
        )}
      </main>
    </div>
  );
}

/** How many requests for access wait for one's decision. */
function Waiting() {
  const count = (useGrants().data ?? []).filter((grant) => grant.may_decide).length;
  return count > 0 ? <Badge count={count} size="small" style={{ marginLeft: 6 }} /> : null;
}

/** How many of one's endpoints keep failing. */
function Failing() {
  const count = (useSubscriptions().data ?? []).filter((one) => one.failing_since != null).length;
  return count > 0 ? <Badge count={count} size="small" style={{ marginLeft: 6 }} /> : null;
}

function Tally() {
  const { word } = useTexts();
  const mayOperate = useRights()("operate");
  const states = useTallies().data?.states ?? {};
  const told = TALLIED.filter((state) => states[state]).map((state) => (
    <span key={state} className="state">
      <i className={`dot ${state}`} />
      {word("state", state)}&nbsp;<b>{states[state]}</b>
    </span>
  ));
  if (!mayOperate) return <span className="tally">{told}</span>;
  return (
    <NavLink to="/health" className="tally">
      {told}
    </NavLink>
  );
}

/** Which detector the installation runs on; a built-in one is pointed out, because it knows simulated streets only. */
function Detectors() {
  const { t } = useTexts();
  const detectors = useTallies().data?.detectors ?? [];
  if (detectors.length === 0) return null;
  return (
    <span className="tally detectors" data-testid="detectors">
      {detectors.map((one) => (
        <Tooltip
          key={one.name}
          title={`${t("detector.cameras", { name: one.name, n: one.cameras })}${one.built_in ? ` ${t("detector.built_in.why")}` : ""}`}
        >
          <span className={one.built_in ? "state built-in" : "state dim"}>
            {one.built_in
              ? t("detector.built_in")
              : t("detector", { name: one.name.replace(/-[0-9a-f]{8}$/, "") })}
          </span>
        </Tooltip>
      ))}
    </span>
  );
}

export function LanguageSwitch() {
  const { t, language, setLanguage } = useTexts();
  const other = language === "zh" ? "en" : "zh";
  return (
    <Button
      type="text"
      aria-label={t("nav.language")}
      data-testid="language"
      lang={other === "zh" ? "zh-CN" : "en"}
      onClick={() => setLanguage(other)}
    >
      {other === "zh" ? "中文" : "English"}
    </Button>
  );
}

function Account() {
  const { t } = useTexts();
  const { me, logout } = useSession();
  const navigate = useNavigate();
  const items = [
    {
      key: "security",
      icon: <SafetyOutlined />,
      label: t("nav.security"),
      onClick: () => navigate("/security"),
    },
    ...(me?.rights.includes("people")
      ? [
          {
            key: "people",
            icon: <TeamOutlined />,
            label: t("nav.people"),
            onClick: () => navigate("/people"),
          },
        ]
      : []),
    ...(me?.rights.includes("people")
      ? [{ key: "keys", icon: <ApiOutlined />, label: t("nav.keys"), onClick: () => navigate("/keys") }]
      : []),
    ...(me?.rights.includes("handle")
      ? [{ key: "field", icon: <MobileOutlined />, label: t("nav.field"), onClick: () => navigate("/m") }]
      : []),
    { key: "logout", icon: <LogoutOutlined />, label: t("nav.logout"), onClick: () => void logout() },
  ];
  return (
    <Dropdown menu={{ items }} trigger={["click"]}>
      <Button type="text" icon={<UserOutlined />} aria-label={t("nav.account")}>
        {me?.name}
      </Button>
    </Dropdown>
  );
}
