import { clock, percent } from "./format.ts";
import { texts } from "./texts.ts";
import { growing, type Video } from "./types.ts";

/** The state of a video in a few words. */
export function stateText(video: Video): string {
  const underway = video.state === "received" || video.state === "processing";
  if (underway && video.processing?.paused) return texts.state.paused(percent(video.progress));
  if (underway && video.waiting && !video.playable) return texts.state.waiting(video.waiting);
  if (video.state === "processing" && video.step === "screen") return texts.steps.screen ?? texts.steps.other;
  if (video.state === "processing" && growing(video)) return texts.state.growing(percent(video.progress) + pace(video));
  if (video.state === "processing" && video.playable) return texts.state.playable(percent(video.progress) + pace(video));
  if (video.state === "processing") return texts.state.processing(percent(video.progress) + pace(video), texts.steps[video.step ?? ""] ?? texts.steps.other);
  return texts.state[video.state];
}

/** How fast it goes and how long it will still take, as far as that is known. */
function pace(video: Video): string {
  const { speed, eta } = video.processing ?? {};
  const words = [typeof speed === "number" && texts.state.speed(speed.toFixed(1)), typeof eta === "number" && texts.state.left(clock(Math.round(eta)))];
  return words.map((word) => (word ? `, ${word}` : "")).join("");
}

/** What went wrong, and what to do, in one text. */
export function failureText(video: Video): string {
  const told = [video.error?.detail, video.error?.hint].filter(Boolean).join(" ");
  return told || texts.processing.failed;
}
