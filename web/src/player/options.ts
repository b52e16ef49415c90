// What an address asks of the player: where to begin, and in a frame also how.

export interface Options {
  /** Seconds from the beginning, null where the address does not say. */
  at: number | null;
  autoplay: boolean;
  muted: boolean;
  loop: boolean;
  /** `on`, `off`, or a language; null where the address does not say. */
  captions: string | null;
}

const YES = ["", "1", "true", "yes", "on"];
const NO = ["0", "false", "no", "off"];
const UNITS = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s?)?$/i;
const CLOCK = /^(?:(\d+):)?(\d{1,2}):(\d{1,2}(?:\.\d+)?)$/;

/** The seconds of `90`, `90s`, `1m30s`, `1h2m3s` or `1:30`; null for anything else. */
export function secondsOf(text: string): number | null {
  const found = UNITS.exec(text.trim()) ?? CLOCK.exec(text.trim());
  if (!found || !found.slice(1).some(Boolean)) return null;
  const [h = 0, m = 0, s = 0] = found.slice(1).map((part) => Number(part ?? 0));
  return h * 3600 + m * 60 + s;
}

/** A place as links carry it: `1h2m3s`, `45s`. */
export function timeText(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const parts: [number, string][] = [[Math.floor(whole / 3600), "h"], [Math.floor(whole / 60) % 60, "m"], [whole % 60, "s"]];
  const said = parts.filter(([count]) => count > 0).map(([count, unit]) => `${count}${unit}`);
  return said.join("") || "0s";
}

export function optionsOf(address: URL): Options {
  const asked = address.searchParams;
  const place = asked.get("t") ?? asked.get("start") ?? new URLSearchParams(address.hash.slice(1)).get("t");
  const captions = asked.get("cc");
  return {
    at: place === null ? null : secondsOf(place),
    autoplay: flag(asked.get("autoplay")),
    muted: flag(asked.get("muted")),
    loop: flag(asked.get("loop")),
    captions: captions === null ? null : captionsOf(captions.toLowerCase()),
  };
}

function captionsOf(value: string): string {
  if (NO.includes(value)) return "off";
  return YES.includes(value) ? "on" : value;
}

/** Anything but a no is a yes, also nothing at all (`?muted`). */
function flag(value: string | null): boolean {
  return value !== null && !NO.includes(value.toLowerCase());
}
