import { DownOutlined } from "@ant-design/icons";
import { Button, Dropdown } from "antd";
import { type ReactNode, useLayoutEffect, useRef, useState } from "react";
import { NavLink, useLocation } from "react-router";
import { useTexts } from "./i18n";
import { fitting } from "./parts/fitting";

export interface RoomLink {
  to: string;
  icon: ReactNode;
  label: ReactNode;
}

const GAP_PX = 2;
const MORE_PX = 96;

/** Links to the rooms in a row; those that do not fit stand in a menu behind them. */
export function RoomLinks({ rooms }: { rooms: RoomLink[] }) {
  const { t } = useTexts();
  const { pathname } = useLocation();
  const frame = useRef<HTMLElement>(null);
  const [shown, setShown] = useState(rooms.length);
  // biome-ignore lint/correctness/useExhaustiveDependencies: other rooms are other elements to measure
  useLayoutEffect(() => {
    const nav = frame.current;
    if (!nav) return;
    const links = [...nav.querySelectorAll<HTMLElement>(":scope > a")];
    const measure = () =>
      setShown(
        fitting(
          links.map((link) => link.offsetWidth),
          GAP_PX,
          nav.clientWidth,
          MORE_PX,
        ),
      );
    measure();
    const observer = new ResizeObserver(measure);
    for (const one of [nav, ...links]) observer.observe(one); // a badge or the other language widens a link
    return () => observer.disconnect();
  }, [rooms.length]);
  const rest = rooms.slice(shown);
  const within = rest.some(({ to }) => pathname === to || pathname.startsWith(`${to}/`));
  return (
    <nav className="rooms" ref={frame}>
      {rooms.map(({ to, icon, label }, at) => (
        <NavLink key={to} to={to} style={at < shown ? undefined : { visibility: "hidden", order: 1 }}>
          <span aria-hidden="true">{icon}</span>
          {label}
        </NavLink>
      ))}
      {rest.length > 0 ? (
        <Dropdown
          trigger={["click"]}
          menu={{
            items: rest.map(({ to, icon, label }) => ({
              key: to,
              icon,
              label: <NavLink to={to}>{label}</NavLink>,
            })),
          }}
        >
          <Button type="text" className={within ? "more-rooms active" : "more-rooms"}>
            {t("nav.more")} <DownOutlined />
          </Button>
        </Dropdown>
      ) : null}
    </nav>
  );
}
