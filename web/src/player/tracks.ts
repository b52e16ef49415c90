// Captions and sounds: which there are, which are shown, and what somebody has chosen once and for all.

import type shaka from "shaka-player/dist/shaka-player.dash-es2021.js";
import { Store } from "../lib/store.ts";
import type { Stream } from "../lib/types.ts";

type Player = InstanceType<(typeof shaka)["Player"]>;
type TextTrack = ReturnType<Player["getTextTracks"]>[number];
type AudioTrack = ReturnType<Player["getAudioTracks"]>[number];

export const OFF = "off";
const ON = "on";

export interface Choice {
  /** Stays the same while this video plays. */
  key: string;
  label: string;
  active: boolean;
}

interface Wishes {
  /** The language of captions, `OFF` for none, null where nobody has chosen. */
  captions: string | null;
  sound: string | null;
}

interface Named {
  label: string | null;
  language: string;
}

const names = new Map<string, string>();

/** What a language calls itself; the code where the browser does not know it. Asking costs milliseconds: once for each. */
export function languageName(code: string): string {
  const known = names.get(code) ?? nameOfLanguage(code);
  names.set(code, known);
  return known;
}

function nameOfLanguage(code: string): string {
  try {
    const name = new Intl.DisplayNames([code], { type: "language", fallback: "none" }).of(code);
    return name ? name.charAt(0).toLocaleUpperCase(code) + name.slice(1) : code;
  } catch {
    return code;
  }
}

/** The one to show: in the language asked for, or one that the video itself wants shown. */
export function wishedFor<T extends { language: string }>(tracks: T[], language: string | null): T | null {
  if (!language) return null;
  const near = language.split("-")[0];
  return tracks.find((one) => one.language === language) ?? tracks.find((one) => one.language.split("-")[0] === near) ?? null;
}

export class Tracks {
  private readonly player: () => Player | null;
  private readonly changed: () => void;
  /** What the address asks for: `on`, `off` or a language. It counts until somebody chooses, and is not remembered. */
  asked: string | null = null;
  private readonly kept = new Store<Wishes>("streamhost.tracks", { captions: null, sound: null });
  private defaults: Stream["captions"] = [];

  constructor(player: () => Player | null, changed: () => void) {
    this.player = player;
    this.changed = changed;
  }

  private get wishes(): Wishes {
    return this.kept.value;
  }

  /** A stream has been loaded: show what was asked for, in this video or an earlier one. */
  begin(stream: Stream): void {
    this.defaults = stream.captions;
    const sound = wishedFor(this.soundTracks(), this.wishes.sound);
    if (sound && !sound.active) this.player()?.selectAudioTrack(sound);
    this.show(this.wanted());
  }

  /** Whether there are captions at all, and whether some are shown: null where there are none. */
  get shown(): boolean | null {
    const tracks = this.textTracks();
    return tracks.length ? tracks.some((one) => one.active) : null;
  }

  captions(): Choice[] {
    return this.textTracks().map((one) => ({ key: keyOf(one), label: nameOf(one), active: one.active }));
  }

  chooseCaptions(key: string): void {
    const track = this.textTracks().find((one) => keyOf(one) === key) ?? null;
    this.wish({ captions: track?.language ?? OFF });
    this.show(track ?? this.forced());
  }

  /** Captions on or off; answers the name of what is shown, null for nothing. */
  toggle(): string | null {
    const tracks = this.textTracks().filter((one) => !one.forced);
    const shown = tracks.find((one) => one.active);
    if (shown || !tracks.length) {
      this.chooseCaptions(OFF);
      return null;
    }
    const track = this.liked(tracks);
    if (!track) return null;
    this.chooseCaptions(keyOf(track));
    return nameOf(track);
  }

  sounds(): Choice[] {
    return this.soundTracks().map((one) => ({ key: keyOf(one), label: nameOf(one), active: one.active }));
  }

  chooseSound(key: string): void {
    const track = this.soundTracks().find((one) => keyOf(one) === key);
    if (!track) return;
    this.wish({ sound: track.language });
    this.player()?.selectAudioTrack(track);
    this.changed();
  }

  /** The one that somebody who wants captions most likely means. */
  private liked(tracks: TextTrack[]): TextTrack | null {
    const spoken = this.soundTracks().find((one) => one.active)?.language ?? null;
    const languages = [this.wishes.captions, navigator.language, spoken];
    return languages.map((language) => wishedFor(tracks, language)).find(Boolean) ?? tracks[0] ?? null;
  }

  private wanted(): TextTrack | null {
    const tracks = this.textTracks().filter((one) => !one.forced);
    if (this.asked === ON) return this.liked(tracks);
    if (this.asked && this.asked !== OFF) return wishedFor(tracks, this.asked) ?? this.forced();
    if ((this.asked ?? this.wishes.captions) === OFF) return this.forced();
    const first = this.defaults.find((one) => one.default);
    const meant = first ? tracks.find((one) => one.language === first.language && one.label === first.label) : null;
    return wishedFor(tracks, this.wishes.captions) ?? meant ?? this.forced();
  }

  /** What is to be read in any case, for what is said in a language that is not the film's. */
  private forced(): TextTrack | null {
    const spoken = this.soundTracks().find((one) => one.active)?.language ?? null;
    return wishedFor(this.textTracks().filter((one) => one.forced), spoken);
  }

  private show(track: TextTrack | null): void {
    this.player()?.selectTextTrack(track);
    this.changed();
  }

  private textTracks(): TextTrack[] {
    return this.player()?.getTextTracks() ?? [];
  }

  private soundTracks(): AudioTrack[] {
    return this.player()?.getAudioTracks() ?? [];
  }

  private wish(change: Partial<Wishes>): void {
    if (change.captions !== undefined) this.asked = null;
    this.kept.set(change);
  }
}

function nameOf(track: Named): string {
  return track.label || languageName(track.language);
}

function keyOf(track: Named & { roles: string[] }): string {
  return [track.language, track.label ?? "", ...track.roles].join("|");
}
