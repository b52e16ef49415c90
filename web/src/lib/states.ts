import { percent } from "./format.ts";
import { texts } from "./texts.ts";
import type { Video } from "./types.ts";

/** The state of a video in a few words. */
export function stateText(video: Video): string {
  const underway = video.state === "received" || video.state === "processing";
  if (underway && video.waiting && !video.playable) return texts.state.waiting(video.waiting);
  if (video.state === "processing" && video.playable) return texts.state.playable(percent(video.progress));
  if (video.state === "processing") return texts.state.processing(percent(video.progress), texts.steps[video.step ?? ""] ?? texts.steps.other);
  return texts.state[video.state];
}

/** What went wrong, and what to do, in one text. */
export function failureText(video: Video): string {
  const told = [video.error?.detail, video.error?.hint].filter(Boolean).join(" ");
  return told || texts.processing.failed;
}
