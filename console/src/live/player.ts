import { decodeLive, type LiveHeader } from "./protocol";

export type LinkState = "connecting" | "open" | "retrying" | "refused";

export interface PlayerEvents {
  onPicture: (picture: ImageBitmap, header: LiveHeader) => void;
  onLink: (state: LinkState) => void;
}

const FIRST_RETRY_MS = 800;
const LAST_RETRY_MS = 15_000;
/** The server closes with these when trying again is pointless: not logged in, not allowed, no such camera. */
const FINAL_CODES = new Set([1008, 4401, 4403, 4404]);

/** Keeps one camera's WebSocket open and hands over the newest picture; a picture that comes while the last one
 * is still being decoded replaces the one waiting. Close it with `close()`. */
export class LivePlayer {
  private socket: WebSocket | null = null;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private delay = FIRST_RETRY_MS;
  private closed = false;
  private decoding = false;
  private waiting: ArrayBuffer | null = null;

  constructor(
    private readonly url: string,
    private readonly events: PlayerEvents,
  ) {
    this.connect();
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.retry);
    this.socket?.close();
    this.socket = null;
  }

  private connect(): void {
    this.events.onLink("connecting");
    const socket = new WebSocket(this.url);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.delay = FIRST_RETRY_MS;
      this.events.onLink("open");
    };
    socket.onmessage = (message: MessageEvent<ArrayBuffer>) => {
      this.waiting = message.data;
      void this.decode();
    };
    socket.onclose = (event) => {
      if (this.closed) return;
      if (FINAL_CODES.has(event.code)) {
        this.events.onLink("refused");
        return;
      }
      this.events.onLink("retrying");
      this.retry = setTimeout(() => this.connect(), this.delay * (0.75 + Math.random() / 2));
      this.delay = Math.min(this.delay * 2, LAST_RETRY_MS);
    };
    this.socket = socket;
  }

  private async decode(): Promise<void> {
    if (this.decoding) return;
    this.decoding = true;
    try {
      while (this.waiting && !this.closed) {
        const message = this.waiting;
        this.waiting = null;
        await this.show(message);
      }
    } finally {
      this.decoding = false;
    }
  }

  private async show(message: ArrayBuffer): Promise<void> {
    try {
      const { header, jpeg } = decodeLive(message);
      const picture = await createImageBitmap(jpeg);
      if (this.closed) picture.close();
      else this.events.onPicture(picture, header);
    } catch (error) {
      // One broken picture is not worth a word to the watcher: the next one replaces it.
      console.debug("live picture dropped", error);
    }
  }
}

/** ws:// or wss:// address of a camera's live pictures. */
export function liveUrl(camera: string, fps: number): string {
  const url = new URL(`/api/cameras/${encodeURIComponent(camera)}/live`, window.location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.searchParams.set("fps", String(fps));
  return url.href;
}
