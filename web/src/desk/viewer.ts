import { setText } from "../lib/dom.ts";
import { Engine } from "../player/engine.ts";
import { troubleOf } from "../player/problems.ts";

/** The video of a case, and the marks of where it stands in the plot. It is silent until somebody wants to hear it. */
export class Viewer {
  private readonly video: HTMLVideoElement;
  private readonly engine: Engine;
  private readonly page: HTMLElement;
  private loading: Promise<void> | null = null;

  constructor(video: HTMLVideoElement, page: HTMLElement) {
    this.video = video;
    this.page = page;
    const format = video.dataset["format"] === "hls" ? "hls" : "dash";
    const listener = { failed: (error: unknown) => this.failed(error), waiting: () => undefined, qualities: () => undefined };
    const query = video.dataset["newFile"] === "yes" ? "?new_file=true" : "";
    this.engine = new Engine(video, video.dataset["video"] ?? "", format, listener, null, query);
    this.startPlot();
  }

  async start(): Promise<void> {
    const at = Number(this.video.dataset["at"]);
    this.loading = this.engine.load().catch((error: unknown) => this.failed(error));
    await this.loading;
    this.video.muted = true;
    if (at > 0) this.video.currentTime = at;
  }

  async seek(seconds: number): Promise<void> {
    await this.loading;
    this.video.currentTime = seconds;
  }

  toggle(): void {
    if (this.video.paused) void this.video.play().catch(() => undefined);
    else this.video.pause();
  }

  private startPlot(): void {
    const plot = this.page.querySelector<HTMLElement>("[data-plot]");
    const length = Number(plot?.dataset["duration"]);
    if (!plot || !length) return;
    const marks = plot.querySelectorAll<HTMLElement>("[data-plot-now]");
    const draw = () => {
      for (const mark of marks) {
        mark.hidden = false;
        mark.style.insetInlineStart = `${Math.min(100, (this.video.currentTime / length) * 100)}%`;
      }
    };
    for (const name of ["timeupdate", "seeking", "loadeddata"]) this.video.addEventListener(name, draw);
    for (const stage of plot.querySelectorAll<HTMLElement>("[data-plot-stage]")) {
      stage.addEventListener("click", (event) => {
        const box = stage.getBoundingClientRect();
        void this.seek(((event.clientX - box.left) / box.width) * length);
      });
    }
  }

  private failed(error: unknown): void {
    const box = this.page.querySelector<HTMLElement>("[data-player-trouble]");
    const trouble = troubleOf(error);
    setText(box, `${trouble.title}. ${trouble.text}`);
    if (box) box.hidden = false;
  }
}
