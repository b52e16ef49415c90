import { setText } from "./dom.ts";
import { texts } from "./texts.ts";
import { toast } from "./toast.ts";

// A browser opens six connections to a server (HTTP/1.1), for all tabs together: one tab listens and tells the others.
const NAME = "streamhost-bell";
const POLL = 60_000; // ms between questions where tabs cannot agree on one that listens
const MOST = 99;

type News = { unread?: number; title?: string; url?: string };
type Told = { title: string; url: string; urgency: string };

/** Keeps the number at the bell up to date, and says what comes in while somebody looks. */
export function startBell(): void {
  const bell = document.querySelector<HTMLElement>("[data-bell]");
  if (!bell) return;
  const tabs = "BroadcastChannel" in window ? new BroadcastChannel(NAME) : null;
  const hear = (news: News) => {
    if (news.unread !== undefined) show(bell, news.unread);
    if (news.title && !document.hidden) toast(news.title, news.url ? { text: texts.bell.see, href: "/notifications" } : undefined);
  };
  if (tabs) tabs.onmessage = (event) => hear(event.data as News);
  const tell = (news: News) => {
    hear(news);
    tabs?.postMessage(news);
  };
  // Locks exist only over https and on this machine.
  if (tabs && "locks" in navigator) void navigator.locks.request(NAME, () => listen(tell)).catch(() => undefined);
  else startAsking(hear);
}

/** Listen until the server ends it for good: whoever was signed out has nothing more to hear. */
function listen(tell: (news: News) => void): Promise<void> {
  return new Promise((resolve) => {
    const source = new EventSource("/api/v1/notifications/stream");
    source.addEventListener("unread", (event) => tell({ unread: (JSON.parse(event.data as string) as { unread: number }).unread }));
    source.addEventListener("notification", (event) => {
      const told = JSON.parse(event.data as string) as Told;
      if (told.urgency !== "low") tell({ title: told.title, url: told.url });
    });
    const leave = () => {
      source.close();
      resolve();
    };
    source.addEventListener("over", leave);
    source.addEventListener("error", () => {
      if (source.readyState === EventSource.CLOSED) resolve();
    });
    window.addEventListener("pagehide", leave);
  });
}

function startAsking(hear: (news: News) => void): void {
  const ask = async () => {
    if (document.hidden) return;
    const answer = await fetch("/api/v1/notifications?limit=1", { credentials: "same-origin" }).catch(() => null);
    if (answer?.ok) hear({ unread: ((await answer.json()) as { unread: number }).unread });
  };
  window.setInterval(() => void ask(), POLL);
  document.addEventListener("visibilitychange", () => void ask());
}

function show(bell: HTMLElement, unread: number): void {
  const count = bell.querySelector<HTMLElement>("[data-bell-count]");
  if (count) {
    count.hidden = unread === 0;
    setText(count, unread > MOST ? `${MOST}+` : String(unread));
  }
  setText(bell.querySelector("[data-bell-text]"), texts.bell.name(unread));
}
