import { type RefObject, useEffect, useRef, useState } from "react";
import { type LinkState, LivePlayer, liveUrl } from "./player";
import type { LiveHeader } from "./protocol";

export interface LiveView {
  link: LinkState;
  /** when the newest picture arrived, ms of performance.now(); null: none yet */
  arrived: number | null;
  width: number;
  height: number;
}

export type Paint = (picture: ImageBitmap, header: LiveHeader) => void;

/** True while the element is on screen and the page is shown: only then is a camera watched. */
function useVisible(element: RefObject<Element | null>): boolean {
  const [onScreen, setOnScreen] = useState(false);
  const [pageShown, setPageShown] = useState(!document.hidden);
  useEffect(() => {
    const target = element.current;
    if (!target) return;
    const observer = new IntersectionObserver((entries) =>
      setOnScreen(entries.some((e) => e.isIntersecting)),
    );
    observer.observe(target);
    const onPage = () => setPageShown(!document.hidden);
    document.addEventListener("visibilitychange", onPage);
    return () => {
      observer.disconnect();
      document.removeEventListener("visibilitychange", onPage);
    };
  }, [element]);
  return onScreen && pageShown;
}

/** Watches one camera while `element` is visible and hands every picture to `paint`. */
export function useLive(
  element: RefObject<Element | null>,
  camera: string,
  fps: number,
  enabled: boolean,
  paint: Paint,
): LiveView {
  const visible = useVisible(element);
  const [view, setView] = useState<LiveView>({ link: "connecting", arrived: null, width: 0, height: 0 });
  const newestPaint = useRef(paint);
  newestPaint.current = paint;

  useEffect(() => {
    if (!visible || !enabled) return;
    let lastState = 0;
    setView((v) => ({ ...v, arrived: null }));
    const player = new LivePlayer(liveUrl(camera, fps), {
      onLink: (link) => setView((v) => ({ ...v, link })),
      onPicture: (picture, header) => {
        newestPaint.current(picture, header);
        // The canvas is painted at every picture; React hears of it twice a second.
        const now = performance.now();
        if (now - lastState < 500) return;
        lastState = now;
        setView((v) => ({ ...v, arrived: now, width: header.width, height: header.height }));
      },
    });
    return () => player.close();
  }, [camera, fps, visible, enabled]);
  return view;
}
