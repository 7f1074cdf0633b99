import { useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, useContext, useEffect, useMemo, useRef, useState } from "react";
import type { Schemas } from "./client";

export type StreamedEvent = Schemas["StreamedEvent"];
type Listener = (message: StreamedEvent) => void;

interface Stream {
  connected: boolean;
  subscribe: (listener: Listener) => () => void;
}

const Context = createContext<Stream | null>(null);

/** One event stream for the whole page. The browser reconnects with Last-Event-ID, so nothing is missed. */
export function EventStreamProvider({ children }: { children: ReactNode }) {
  const queries = useQueryClient();
  const listeners = useRef(new Set<Listener>());
  const [connected, setConnected] = useState(false);

  useEffect(() => {
    let last = "";
    let retry: ReturnType<typeof setTimeout> | undefined;
    let source: EventSource;
    const open = () => {
      source = new EventSource(`/api/events/stream${last ? `?after=${last}` : ""}`);
      source.onopen = () => setConnected(true);
      source.onerror = () => {
        setConnected(false);
        // A refused stream is closed for good by the browser: ask again, the session may be back.
        if (source.readyState === EventSource.CLOSED) retry = setTimeout(open, 5_000);
      };
      source.addEventListener("event", (raw: MessageEvent<string>) => {
        last = raw.lastEventId;
        const message = JSON.parse(raw.data) as StreamedEvent;
        for (const listener of listeners.current) listener(message);
        void queries.invalidateQueries({ queryKey: ["event", message.event.id] });
        void queries.invalidateQueries({ queryKey: ["event-counts"] });
      });
    };
    open();
    return () => {
      clearTimeout(retry);
      source.close();
    };
  }, [queries]);

  const stream = useMemo<Stream>(
    () => ({
      connected,
      subscribe: (listener) => {
        listeners.current.add(listener);
        return () => listeners.current.delete(listener);
      },
    }),
    [connected],
  );
  return <Context.Provider value={stream}>{children}</Context.Provider>;
}

/** Calls `listener` for every transition that arrives; returns whether the stream is connected. */
export function useEventStream(listener?: Listener): boolean {
  const stream = useContext(Context);
  if (!stream) throw new Error("useEventStream outside EventStreamProvider");
  const newest = useRef(listener);
  newest.current = listener;
  const { subscribe } = stream;
  useEffect(() => subscribe((message) => newest.current?.(message)), [subscribe]);
  return stream.connected;
}
