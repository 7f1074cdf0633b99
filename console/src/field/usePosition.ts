import { useEffect, useState } from "react";
import type { Place } from "./way";

export interface Whereabouts {
  here: Place | null;
  /** whether there is any use in asking */
  possible: boolean;
  ask: () => void;
}

/** Where the reader is, once they have agreed; it stays in this page. */
export function usePosition(): Whereabouts {
  const [here, setHere] = useState<Place | null>(null);
  const [asked, setAsked] = useState(false);
  const [possible, setPossible] = useState(() => "geolocation" in navigator && window.isSecureContext);

  useEffect(() => {
    if (!possible) return;
    void navigator.permissions?.query({ name: "geolocation" }).then(({ state }) => {
      if (state === "granted") setAsked(true);
      if (state === "denied") setPossible(false);
    });
  }, [possible]);

  useEffect(() => {
    if (!asked || !possible) return;
    const watch = navigator.geolocation.watchPosition(
      ({ coords }) => setHere({ lat: coords.latitude, lon: coords.longitude }),
      (error) => {
        if (error.code === error.PERMISSION_DENIED) setPossible(false);
      },
      { enableHighAccuracy: true, maximumAge: 30_000 },
    );
    return () => navigator.geolocation.clearWatch(watch);
  }, [asked, possible]);

  return { here, possible, ask: () => setAsked(true) };
}
