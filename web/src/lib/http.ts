import { texts } from "./texts.ts";

/** The server's answer when it refuses: RFC 9457 problem details. */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export function csrfToken(): string {
  return document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.content ?? "";
}

/** Another sign-in in this browser makes the page's token stale: take the one of a fresh copy of this page. */
export async function renewCsrfToken(): Promise<void> {
  const answer = await fetch(window.location.href, { credentials: "same-origin" }).catch(() => null);
  if (!answer?.ok || answer.redirected) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.content;
  const meta = document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]');
  if (fresh && meta) meta.content = fresh;
}

/** What to tell a person about a status when the server's own words are missing. */
export function words(status: number): string {
  if (status === 0) return texts.problem.offline;
  if (status === 401) return texts.problem.signedOut;
  if (status === 403) return texts.problem.forbidden;
  return texts.problem.unknown;
}

/** The problem in a body that may be problem+json or anything else. */
export function problemFrom(status: number, body: string): Problem {
  try {
    const told = JSON.parse(body) as { code?: string; title?: string; detail?: string; hint?: string; errors?: Record<string, string> };
    const fields = Object.values(told.errors ?? {});
    const message = (fields.length ? fields : [told.title, told.detail, told.hint]).filter(Boolean).join(" ");
    return new Problem(status, told.code ?? "unknown", message || words(status));
  } catch {
    return new Problem(status, "unknown", words(status));
  }
}

type Method = "GET" | "PATCH" | "POST" | "DELETE";

/** Ask the API with the page's cookie; throws `Problem`, with status 0 when the server cannot be reached. */
export async function api<T>(path: string, method: Method = "GET", body?: unknown): Promise<T> {
  try {
    return await ask<T>(path, method, body);
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== "csrf_mismatch") throw error;
    await renewCsrfToken();
    return ask<T>(path, method, body);
  }
}

async function ask<T>(path: string, method: Method, body: unknown): Promise<T> {
  const headers: Record<string, string> = { Accept: "application/json" };
  if (method !== "GET") headers["X-CSRF-Token"] = csrfToken();
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const init: RequestInit = { method, headers, credentials: "same-origin", cache: "no-store" };
  if (body !== undefined) init.body = JSON.stringify(body);
  let answer: Response;
  try {
    answer = await fetch(path, init);
  } catch {
    throw new Problem(0, "offline", texts.problem.offline);
  }
  if (!answer.ok) throw problemFrom(answer.status, await answer.text());
  return (answer.status === 204 ? undefined : await answer.json()) as T;
}
