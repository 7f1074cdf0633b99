import { useTexts } from "../i18n";
import { STATE_COLOURS, typeColour } from "./draw";
import { pictogram } from "./icons";

/** What the signs on the map mean. */
export function MapLegend({ types, cases, grids }: { types: string[]; cases: boolean; grids: boolean }) {
  const { t, word } = useTexts();
  return (
    <div className="map-legend dim">
      {Object.entries(STATE_COLOURS).map(([state, colour]) => (
        <span key={state} className="state">
          <svg className="map-sign" viewBox="-8 -8 16 16" aria-hidden="true">
            <StateSign state={state} colour={colour} />
          </svg>
          {word("state", state)}
        </span>
      ))}
      {types.map((type) => (
        <span key={type} className="state">
          <TypeSign type={type} colour={typeColour(type)} />
          {word("event", type)}
        </span>
      ))}
      {cases ? (
        <span className="state">
          <TypeSign type="case" colour="#e8eef2" />
          {t("map.legend.case")}
        </span>
      ) : null}
      {grids ? <span>{t("map.legend.grids")}</span> : null}
    </div>
  );
}

/** As `drawState` of the canvas has it. */
function StateSign({ state, colour }: { state: string; colour: string }) {
  if (state === "offline") {
    return (
      <>
        <rect x={-6} y={-6} width={12} height={12} fill={colour} />
        <path d="M-3-3 3 3M3-3-3 3" stroke="#0c1419" strokeWidth={1.8} />
      </>
    );
  }
  if (state === "stalled") return <path d="M0-7 7 6H-7Z" fill={colour} />;
  if (state === "unknown" || state === "disabled") {
    return <circle r={5.5} fill="none" stroke={colour} strokeWidth={2} />;
  }
  return <circle r={6} fill={colour} />;
}

function TypeSign({ type, colour }: { type: string; colour: string }) {
  return (
    <svg className="map-sign" viewBox="-1 -1 18 18" aria-hidden="true">
      <rect x="-1" y="-1" width="18" height="18" rx="4" fill={colour} />
      <path d={pictogram(type)} fillRule="evenodd" fill="#0b1218" />
    </svg>
  );
}
