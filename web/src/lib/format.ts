import { texts } from "./texts.ts";

/** Seconds as 0:07, 12:34 or 1:02:03. */
export function clock(seconds: number): string {
  const whole = Number.isFinite(seconds) ? Math.max(0, Math.floor(seconds)) : 0;
  const two = (n: number) => String(n).padStart(2, "0");
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** Bytes in decimal units, as file managers and providers count: 0 bytes, 999 bytes, 1.5 MB. */
export function bytes(count: number): string {
  let [value, unit] = [Math.max(0, count), 0];
  while (value >= 999.5 && unit < texts.bytes.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  return `${value.toFixed(digits)} ${texts.bytes[unit]}`;
}

/** A fraction 0..1 as whole percent, never 100 % before it is done. */
export function percent(fraction: number): string {
  const whole = fraction >= 1 ? 100 : Math.min(99, Math.max(0, Math.floor(fraction * 100)));
  return `${whole} %`;
}

const AGO: [keyof typeof texts.ago.one, number][] = [
  ["minute", 60],
  ["hour", 3600],
  ["day", 86_400],
  ["week", 604_800],
  ["month", 2_629_746],
  ["year", 31_556_952],
];

/** How long ago `then` was, in words. */
export function ago(then: Date, now: Date = new Date()): string {
  const seconds = (now.getTime() - then.getTime()) / 1000;
  if (seconds < 60) return texts.ago.now;
  const [unit, size] = AGO.findLast(([, least]) => seconds >= least) ?? AGO[0]!;
  const count = Math.floor(seconds / size);
  return count === 1 ? texts.ago.one[unit] : texts.ago.more(count, unit);
}

/** A date and a time, in the reader's own zone. */
export function moment(at: Date, language = "en"): string {
  return new Intl.DateTimeFormat(language, { dateStyle: "long", timeStyle: "short" }).format(at);
}

/** The same as a field `datetime-local` wants it. */
export function localMinute(at: Date): string {
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** A file name made into a title: no extension, no underscores. */
export function titleFrom(filename: string): string {
  const bare = filename.replace(/\.[A-Za-z0-9]{1,5}$/, "").replace(/[_\s]+/g, " ").trim();
  return (bare || filename).slice(0, 200);
}
