/** What a key means to somebody who reviews. */
export type Act =
  | "approve"
  | "reject"
  | "undo"
  | "next"
  | "previous"
  | "evidence"
  | "evidence-back"
  | "blur"
  | "play"
  | "queue"
  | "help";

type Press = Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey">;

const ACTS: Record<string, Act> = {
  a: "approve",
  r: "reject",
  u: "undo",
  n: "next",
  p: "previous",
  e: "evidence",
  E: "evidence-back",
  b: "blur",
  " ": "play",
  q: "queue",
  "?": "help",
};

export function actOf(press: Press): Act | null {
  if (press.ctrlKey || press.metaKey || press.altKey) return null;
  return ACTS[press.key] ?? ACTS[press.key.toLowerCase()] ?? null;
}

/** The number of a reason, 1 to 9; 0 for any other key. */
export function numberOf(press: Press): number {
  if (press.ctrlKey || press.metaKey || press.altKey) return 0;
  return /^[1-9]$/.test(press.key) ? Number(press.key) : 0;
}

/** Whether the element under the focus needs the key for itself: somebody types, or presses a button. */
export function keepsKey(target: EventTarget | null, key: string): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target.closest("textarea, select")) return true;
  if (target instanceof HTMLInputElement) return !["radio", "checkbox"].includes(target.type) || key === " ";
  if (target instanceof HTMLVideoElement || target.closest("button, a, summary")) return key === " ";
  return false;
}
