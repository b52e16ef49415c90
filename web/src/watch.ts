import "../styles/watch.css";
import { need, setText } from "./lib/dom.ts";
import { Follower } from "./lib/live.ts";
import { startReports } from "./lib/reports.ts";
import { stateText } from "./lib/states.ts";
import { texts } from "./lib/texts.ts";
import { toast } from "./lib/toast.ts";
import { settled, type Video } from "./lib/types.ts";
import { optionsOf } from "./player/options.ts";
import { Session } from "./player/session.ts";
import { Share } from "./player/share.ts";
import { Theatre } from "./player/theatre.ts";

const root = need("[data-player]");
const share = new Share(() => session.engine.video.currentTime);
const theatre = new Theatre(need("[data-watch]"), need("[data-do=theatre]", root));
const session: Session = new Session(root, optionsOf(new URL(window.location.href)), {
  theatre: () => theatre.toggle(),
  share: () => share.open(),
});

/** A video that is still being made: the facts beside its title, and the player as soon as it can play. */
function changed(video: Video): void {
  setText(need("[data-processing-text]"), stateText(video));
  need("[data-processing]").hidden = settled(video) || !video.playable;
  const waited = !session.playing;
  session.changed(video);
  if (waited && session.playing) toast(texts.player.started);
}

function startSharing(): void {
  const button = need("[data-share]");
  button.hidden = false;
  button.addEventListener("click", () => share.open());
}

/** The list of chapters below the player leads to places in it, not to other pages. */
function startChapters(): void {
  const links = [...document.querySelectorAll<HTMLAnchorElement>("[data-seek-to]")];
  const { video } = session.engine;
  for (const link of links) {
    link.addEventListener("click", (event) => {
      if (!session.playing || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      session.controls.seek(Number(link.dataset["seekTo"]));
      void session.controls.play();
      root.scrollIntoView({ block: "nearest" });
    });
  }
  video.addEventListener("timeupdate", () => {
    const present = links.findLast((one) => Number(one.dataset["seekTo"]) <= video.currentTime + 0.01);
    for (const link of links) {
      if (link === present) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  });
}

const { state, playable } = root.dataset;
startSharing();
startReports();
startChapters();
if (state !== "failed" && state !== "rejected") {
  if (playable === "yes") void session.begin();
  if (state !== "ready") new Follower(session.videoId, changed, (problem) => session.lost(problem));
}
