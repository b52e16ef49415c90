/** What a key means to the player. */
export type Act =
  | { do: "toggle" | "mute" | "fullscreen" | "pip" | "shortcuts" | "captions" | "theatre" | "share" | "next" }
  | { do: "skip"; seconds: number }
  | { do: "jump"; fraction: number }
  | { do: "volume"; by: number }
  | { do: "speed"; by: 1 | -1 }
  | { do: "chapter"; by: 1 | -1 }
  | { do: "frame"; by: 1 | -1 };

type Press = Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey" | "shiftKey">;

const SHORT = 5; // seconds
const LONG = 10; // seconds
const LOUDER = 0.05;

const ACTS: Record<string, Act> = {
  " ": { do: "toggle" },
  k: { do: "toggle" },
  m: { do: "mute" },
  f: { do: "fullscreen" },
  t: { do: "theatre" },
  i: { do: "pip" },
  c: { do: "captions" },
  s: { do: "share" },
  "?": { do: "shortcuts" },
  j: { do: "skip", seconds: -LONG },
  l: { do: "skip", seconds: LONG },
  arrowleft: { do: "skip", seconds: -SHORT },
  arrowright: { do: "skip", seconds: SHORT },
  arrowup: { do: "volume", by: LOUDER },
  arrowdown: { do: "volume", by: -LOUDER },
  home: { do: "jump", fraction: 0 },
  end: { do: "jump", fraction: 1 },
  "<": { do: "speed", by: -1 },
  ">": { do: "speed", by: 1 },
  "[": { do: "chapter", by: -1 },
  "]": { do: "chapter", by: 1 },
  ",": { do: "frame", by: -1 },
  ".": { do: "frame", by: 1 },
};

export function actOf(press: Press): Act | null {
  if (press.ctrlKey || press.metaKey || press.altKey) return null;
  if (/^[0-9]$/.test(press.key)) return { do: "jump", fraction: Number(press.key) / 10 };
  const key = press.key.toLowerCase();
  if (key === "n") return press.shiftKey ? { do: "next" } : null;
  return ACTS[key] ?? null;
}

/** Keys that the element under the focus needs for itself. */
export function keepsKey(target: EventTarget | null, key: string): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target.closest("dialog[open], [popover]:popover-open, textarea, select")) return true;
  if (target instanceof HTMLInputElement) {
    if (target.type === "range") return target.dataset["position"] === undefined && /^(Arrow|Home|End)/.test(key);
    if (target.type === "radio" || target.type === "checkbox") return key === " " || key.startsWith("Arrow");
    return true;
  }
  if (target instanceof HTMLButtonElement || target instanceof HTMLAnchorElement) return key === " " || key === "Enter";
  return false;
}
