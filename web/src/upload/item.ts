import { titleFrom } from "../lib/format.ts";
import { api, Problem } from "../lib/http.ts";
import { Follower } from "../lib/live.ts";
import { texts } from "../lib/texts.ts";
import { toast } from "../lib/toast.ts";
import type { Video } from "../lib/types.ts";
import { Speed } from "./speed.ts";
import { type Destination, Transfer } from "./transfer.ts";

export type Phase = "queued" | "uploading" | "retrying" | "paused" | "interrupted" | "refused" | "processing" | "review" | "ready" | "failed";
export type Visibility = Video["visibility"];

/** One file in the list: its transfer first, then its video. Tells `onChange` whenever something about it is new. */
export class Item {
  readonly file: File;
  phase: Phase = "queued";
  title: string;
  visibility: Visibility;
  readonly protection: string;
  sent = 0;
  problem: Problem | null = null;
  video: Video | null = null;
  onChange: () => void = () => undefined;
  readonly speed = new Speed();
  private told = { title: "", visibility: "" };
  private saving: Promise<void> = Promise.resolve();
  private readonly to: Destination;
  private transfer: Transfer | null = null;
  private follower: Follower | null = null;

  constructor(file: File, visibility: Visibility, protection: string, to: Destination) {
    this.file = file;
    this.title = titleFrom(file.name);
    this.visibility = visibility;
    this.protection = protection;
    this.to = to;
  }

  /** Whether it takes one of the few places for running transfers. */
  get active(): boolean {
    return this.phase === "uploading" || this.phase === "retrying";
  }

  /** Whether there is anything to hold: it is being sent, or waits for that. */
  get mayPause(): boolean {
    return this.active || this.phase === "queued";
  }

  /** Whether it stands still and could go on. */
  get mayGoOn(): boolean {
    return this.phase === "paused" || this.phase === "interrupted";
  }

  /** Whether all of the file is with the server. */
  get sentWhole(): boolean {
    return this.phase === "processing" || this.phase === "ready" || this.video !== null;
  }

  /** Wait for a place. */
  queue(): void {
    this.problem = null;
    this.become("queued");
  }

  start(): void {
    this.told = { title: this.title, visibility: this.visibility };
    this.transfer ??= new Transfer(
      this.file,
      { filename: this.file.name, filetype: this.file.type, title: this.title, visibility: this.visibility, protection: this.protection },
      this.to,
      {
        progress: (sent) => this.progress(sent),
        retrying: () => this.phase !== "paused" && this.become("retrying"),
        done: (videoId) => this.received(videoId),
        refused: (problem) => this.refused(problem),
      },
    );
    this.problem = null;
    this.speed.reset();
    this.become("uploading");
    void this.transfer.start();
  }

  async pause(): Promise<void> {
    this.become("paused");
    await this.transfer?.pause();
  }

  /** Stop waiting for the next try and try now. */
  async hurry(): Promise<void> {
    if (this.phase !== "retrying" || !this.transfer) return;
    await this.transfer.pause();
    void this.transfer.start();
  }

  /** Give it up: what the server already has is thrown away. A video that exists is not touched. */
  async drop(): Promise<void> {
    this.follower?.stop();
    if (this.video || this.phase === "queued" || this.phase === "processing") return;
    await this.transfer?.cancel().catch(() => undefined);
  }

  /** Tell the server about a title or audience that was changed after the upload began: one change after the other, so that the last is what stays. */
  save(): Promise<void> {
    this.saving = this.saving.then(() => this.tell());
    return this.saving;
  }

  private async tell(): Promise<void> {
    if (!this.video || !this.title.trim()) return;
    if (this.title === this.told.title && this.visibility === this.told.visibility) return;
    const told = { title: this.title, visibility: this.visibility };
    try {
      await api<Video>(`/api/v1/videos/${encodeURIComponent(this.video.id)}`, "PATCH", { ...told, title: told.title.trim() });
      this.told = told;
    } catch (error) {
      if (error instanceof Problem) toast(texts.upload.notSaved(error.message));
    }
  }

  private become(phase: Phase): void {
    this.phase = phase;
    this.onChange();
  }

  private progress(sent: number): void {
    if (this.phase === "paused") return;
    this.sent = sent;
    this.speed.add(sent);
    this.become("uploading");
  }

  private refused(problem: Problem): void {
    if (this.phase === "paused") return;
    this.problem = problem;
    const lasting = problem.status === 413 || problem.status === 415 || problem.status === 422;
    this.become(lasting ? "refused" : "interrupted");
  }

  private received(videoId: string): void {
    this.sent = this.file.size;
    this.become("processing");
    let playable = false;
    this.follower = new Follower(videoId, (video) => {
      const first = this.video === null;
      this.video = video;
      if (first) void this.save();
      if (video.state === "failed" || video.state === "rejected") this.become("failed");
      else this.become(video.state === "ready" || video.state === "review" ? video.state : "processing");
      if (video.playable && !playable) toast(texts.upload.playable(this.title), { text: texts.upload.watch, href: `/watch/${video.id}` });
      if (video.state === "failed") toast(texts.upload.failed(this.title));
      playable = video.playable;
    });
  }
}
