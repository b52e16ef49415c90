import { Problem } from "../lib/http.ts";
import { texts } from "../lib/texts.ts";

/** What to tell a person about playing that stopped, and what they can do. */
export interface Trouble {
  title: string;
  text: string;
  /** The engine's number, for those who report it. */
  code: string;
  way: "retry" | "reload" | "sign-in" | "leave" | "none";
  /** It is likely to work by itself once the connection is back. */
  passing?: boolean;
}

const BAD_STATUS = 1001;
const NETWORK = 1;

/** This browser can play neither by Media Source Extensions nor by itself. */
export class Unsupported extends Error {}

/** The engine's own code did not come. Browsers remember that, so only a fresh page asks for it again. */
export class EngineMissing extends Error {}

/** The part of the engine's error that we read. */
export interface EngineError {
  code: number;
  category: number;
  severity: number;
  data: unknown[];
}

export function isEngineError(error: unknown): error is EngineError {
  return typeof error === "object" && error !== null && "category" in error && "code" in error;
}

/** The HTTP status that the engine met, 0 if it met none. */
export function statusOf(error: EngineError): number {
  return error.code === BAD_STATUS && typeof error.data[1] === "number" ? error.data[1] : 0;
}

/** By the engine's categories of errors (shaka.util.Error.Category). */
const BY_CATEGORY: Record<number, { title: string; text: string }> = {
  [NETWORK]: texts.playback.network,
  3: texts.playback.decode,
  4: texts.playback.manifest,
  6: texts.playback.keys,
};

export function troubleOf(error: unknown): Trouble {
  if (error instanceof Problem) return fromStatus(error.status, error.code);
  if (error instanceof Unsupported) return { ...texts.playback.unsupported, code: "unsupported", way: "none" };
  if (error instanceof EngineMissing) return { ...texts.playback.engine, code: "engine_missing", way: "reload", passing: true };
  if (!isEngineError(error)) return { ...texts.playback.unknown, code: "unknown", way: "retry" };
  const code = String(error.code);
  const status = statusOf(error);
  if (status) return fromStatus(status, code);
  return { ...(BY_CATEGORY[error.category] ?? texts.playback.unknown), code, way: "retry", passing: error.category === NETWORK };
}

function fromStatus(status: number, code: string): Trouble {
  if (status === 401) return { ...texts.playback.signIn, code, way: "sign-in" };
  if (status === 404 || status === 410) return { ...texts.playback.gone, code, way: "leave" };
  if (code === "too_many_streams") return { ...texts.playback.streams, code, way: "retry" };
  if (code === "stream_stopped") return { ...texts.playback.stopped, code, way: "retry" };
  if (code === "password_required") return { ...texts.playback.locked, code, way: "retry" };
  if (status === 403) return { ...texts.playback.grant, code, way: "retry" };
  if (status === 409 && code !== "not_playable") return { ...texts.playback.streams, code, way: "retry" };
  return { ...texts.playback.network, code, way: "retry", passing: true };
}
