// What the system shows and offers of what plays: lock screens, headsets, keyboards with keys for it.

interface Deck {
  skip(seconds: number): void;
  seek(to: number): void;
  next: (() => void) | null;
}

/** Tell the system what plays, and take its orders. */
export function startMediaSession(root: HTMLElement, video: HTMLVideoElement, deck: Deck): void {
  if (!("mediaSession" in navigator)) return;
  const session = navigator.mediaSession;
  const { title = "", author = "" } = root.dataset;
  const poster = root.querySelector<HTMLImageElement>("[data-poster]")?.src;
  const orders: [MediaSessionAction, MediaSessionActionHandler | null][] = [
    ["play", () => void video.play().catch(() => undefined)],
    ["pause", () => video.pause()],
    ["seekbackward", (details) => deck.skip(-(details.seekOffset ?? 10))],
    ["seekforward", (details) => deck.skip(details.seekOffset ?? 10)],
    ["seekto", (details) => typeof details.seekTime === "number" && deck.seek(details.seekTime)],
    ["nexttrack", deck.next],
  ];
  video.addEventListener(
    "play",
    () => {
      session.metadata = new MediaMetadata({ title, artist: author, artwork: poster ? [{ src: poster }] : [] });
      for (const [order, handler] of orders) {
        try {
          session.setActionHandler(order, handler);
        } catch {
          // This browser does not know the order.
        }
      }
    },
    { once: true },
  );
  for (const change of ["play", "pause", "seeked", "ratechange", "durationchange"]) {
    video.addEventListener(change, () => {
      session.playbackState = video.paused ? "paused" : "playing";
      if (!Number.isFinite(video.duration) || !video.duration) return;
      const position = Math.min(video.currentTime, video.duration);
      session.setPositionState({ duration: video.duration, playbackRate: video.playbackRate || 1, position });
    });
  }
}
