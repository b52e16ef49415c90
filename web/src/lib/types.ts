// The parts of the API's answers that the pages use.

export interface Rendition {
  name: string;
  height: number;
  ready: boolean;
}

export interface Processing {
  speed: number | null;
  eta: number | null;
  paused: boolean;
}

export interface Video {
  id: string;
  title: string;
  visibility: "public" | "unlisted" | "private" | "password";
  state: "received" | "processing" | "review" | "rejected" | "ready" | "failed";
  step?: string;
  waiting?: string | null;
  processing?: Processing | null;
  replacing?: { progress: number; step: string; error: { code: string; detail: string; hint?: string | null } | null } | null;
  progress: number;
  playable: boolean;
  renditions: Rendition[];
  error: { code: string; detail: string; hint?: string | null } | null;
}

export interface Chapter {
  start: number;
  title: string;
}

export interface Stream {
  grant_expires_at: string;
  hls: string;
  /** There is none under aes-128. */
  dash: string | null;
  /** Changes when the video was packaged anew. */
  package: string;
  license: Record<string, string> | null;
  storyboard?: string | null;
  captions: { language: string; label: string; url: string; default: boolean; forced: boolean }[];
  chapters: Chapter[];
}

/** Nothing more will change by itself. */
export function settled(video: Pick<Video, "state">): boolean {
  return video.state === "ready" || video.state === "failed" || video.state === "rejected";
}

/** It is shown while it is made: none of its qualities is whole yet. */
export function growing(video: Pick<Video, "playable" | "renditions">): boolean {
  return video.playable && video.renditions.length > 0 && !video.renditions.some((one) => one.ready);
}
