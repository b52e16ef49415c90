// One file on its way to the server: tus-js-client with our headers, our patience and our words.

import { Upload, type DetailedError, type HttpRequest, type HttpResponse } from "tus-js-client";
import { csrfToken, Problem, problemFrom, renewCsrfToken } from "../lib/http.ts";

const MIB = 1 << 20;
// One request stays well below the 100 MB at which common proxies and tunnels cut uploads off.
const CHUNK = 64 * MIB;
const LONGEST_WAIT = 15_000; // ms
// Ten minutes of trying by itself: longer than a restart of the server or a change of network takes.
const RETRIES = [0, 500, 1000, 2000, 4000, 8000, ...Array<number>(38).fill(LONGEST_WAIT)];
// A lost connection, a busy server, or an upload that another request still holds: worth trying again.
const PASSING = new Set([0, 408, 409, 423, 425, 429]);

export interface Hopes {
  progress(sent: number): void;
  retrying(): void;
  done(videoId: string): void;
  refused(problem: Problem): void;
}

export interface Destination {
  endpoint: string;
  user: string;
}

/** The same file by the same person is the same upload, also after a reload. */
export function fingerprint(file: File, to: Destination): string {
  return [`streamhost`, to.user, file.name, file.size, file.lastModified].join("|");
}

export class Transfer {
  private readonly upload: Upload;
  private readonly hopes: Hopes;
  private videoId = "";
  private refusal: Problem | null = null;
  private failed = false;
  private wanted = false;

  constructor(file: File, metadata: Record<string, string>, to: Destination, hopes: Hopes) {
    this.hopes = hopes;
    this.upload = new Upload(file, {
      endpoint: to.endpoint,
      chunkSize: CHUNK,
      retryDelays: RETRIES,
      metadata,
      removeFingerprintOnSuccess: true,
      fingerprint: async () => fingerprint(file, to),
      onBeforeRequest: (request: HttpRequest) => request.setHeader("X-CSRF-Token", csrfToken()),
      onAfterResponse: (request, response) => this.look(request, response),
      onProgress: (sent) => hopes.progress(sent),
      onShouldRetry: (error) => this.shouldRetry(error),
      onSuccess: () => hopes.done(this.videoId),
      onError: (error) => {
        this.failed = true;
        hopes.refused(this.refusal ?? problemOf(error));
      },
    });
  }

  /** Begin, or go on at the byte the server has. */
  async start(): Promise<void> {
    this.wanted = true;
    if (this.refusal || this.failed) await renewCsrfToken();
    this.refusal = null;
    this.failed = false;
    if (!this.upload.url) {
      const [previous] = await this.upload.findPreviousUploads();
      if (previous) this.upload.resumeFromPreviousUpload(previous);
    }
    // Somebody may have thought better of it meanwhile.
    if (this.wanted) this.upload.start();
  }

  async pause(): Promise<void> {
    this.wanted = false;
    await this.upload.abort(false);
  }

  /** Stop, and let the server forget what it has. */
  async cancel(): Promise<void> {
    this.wanted = false;
    await this.upload.abort(true);
  }

  private look(request: HttpRequest, response: HttpResponse): void {
    this.videoId = response.getHeader("Streamhost-Video") || this.videoId;
    const status = response.getStatus();
    if (request.getMethod() === "HEAD" && (status === 401 || status === 403)) {
      // tus-js-client would take any refusal here for "unknown upload" and begin anew; signed out is not unknown.
      this.refusal = problemFrom(status, "");
      throw this.refusal;
    }
  }

  private shouldRetry(error: Error): boolean {
    const status = statusOf(error);
    const again = this.refusal === null && (PASSING.has(status) || status >= 500) && status !== 507;
    if (again) this.hopes.retrying();
    return again;
  }
}

function statusOf(error: Error): number {
  return (error as Partial<DetailedError>).originalResponse?.getStatus() ?? 0;
}

function problemOf(error: Error): Problem {
  return problemFrom(statusOf(error), (error as Partial<DetailedError>).originalResponse?.getBody() ?? "");
}
