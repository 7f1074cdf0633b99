import { type ThemeConfig, theme } from "antd";

/** Quiet and dark: pictures and alarms are the only bright things on the page. */
export const PALETTE = {
  ground: "#0c1419",
  panel: "#121c23",
  raised: "#18242d",
  line: "#22313c",
  text: "#d9e2e8",
  dim: "#8b9ca8",
  accent: "#4aa8d0",
  good: "#55b98a",
  warn: "#e0a043",
  bad: "#e5645f",
} as const;

export const FONT =
  "system-ui, -apple-system, 'Segoe UI', 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', 'Noto Sans', sans-serif";

export const THEME: ThemeConfig = {
  algorithm: theme.darkAlgorithm,
  token: {
    colorPrimary: PALETTE.accent,
    colorSuccess: PALETTE.good,
    colorWarning: PALETTE.warn,
    colorError: PALETTE.bad,
    colorInfo: PALETTE.accent,
    colorBgBase: PALETTE.ground,
    colorBgContainer: PALETTE.panel,
    colorBgElevated: PALETTE.raised,
    colorBgLayout: PALETTE.ground,
    colorBorder: "#2b3d49",
    colorBorderSecondary: PALETTE.line,
    colorTextBase: PALETTE.text,
    borderRadius: 6,
    fontFamily: FONT,
    fontSize: 14,
    wireframe: false,
    // Who asks their machine for less motion gets none.
    motion: !window.matchMedia("(prefers-reduced-motion: reduce)").matches,
  },
  components: {
    Table: { headerBg: PALETTE.panel, rowHoverBg: PALETTE.raised, cellPaddingBlockSM: 7 },
    Menu: { darkItemBg: "transparent" },
    Tag: { defaultBg: PALETTE.raised },
  },
};
