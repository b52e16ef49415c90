import "../styles/upload.css";
import { need } from "./lib/dom.ts";
import { bytes } from "./lib/format.ts";
import { Problem } from "./lib/http.ts";
import { texts } from "./lib/texts.ts";
import { toast } from "./lib/toast.ts";
import { Item, type Visibility } from "./upload/item.ts";
import { Queue } from "./upload/queue.ts";
import { Row, type Wishes } from "./upload/row.ts";
import { Unfinished } from "./upload/unfinished.ts";

const AT_ONCE = 2; // running transfers: one waits for the disk while the other sends

class Uploader {
  private readonly root = need("[data-upload]");
  private readonly drop = need("[data-drop]");
  private readonly list = need("[data-uploads]");
  private readonly options = need<HTMLFormElement>("[data-options]");
  private rows = new Map<Item, Row>();
  private readonly to = { endpoint: this.root.dataset["endpoint"] ?? "", user: this.root.dataset["user"] ?? "" };
  private readonly limit = Number(this.root.dataset["maxBytes"]) || Infinity;
  private readonly queue = new Queue(
    () => [...this.rows.keys()],
    () => this.fill(),
    (item) => this.forget(item),
  );
  private readonly unfinished = new Unfinished(this.to.user, (files) => this.add(files));

  start(): void {
    const input = need<HTMLInputElement>("[data-files]");
    const take = () => {
      this.add([...(input.files ?? [])]);
      input.value = ""; // so that choosing the same file again counts as a change
    };
    input.addEventListener("change", take);
    if (input.files?.length) take(); // chosen before this script came
    this.startDropping();
    window.addEventListener("online", () => {
      for (const item of this.rows.keys()) void item.hurry();
    });
    window.addEventListener("beforeunload", (event) => {
      if ([...this.rows.keys()].some((item) => item.active)) event.preventDefault();
    });
    void this.unfinished.show();
  }

  /** The whole page takes files, so that one that misses the box does not replace the page. */
  private startDropping(): void {
    let depth = 0;
    const over = (on: boolean) => this.drop.classList.toggle("drop--over", on);
    const carriesFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
    document.addEventListener("dragenter", (event) => {
      if (carriesFiles(event)) over(++depth > 0);
    });
    document.addEventListener("dragleave", (event) => {
      if (carriesFiles(event)) over(--depth > 0);
    });
    document.addEventListener("dragover", (event) => {
      if (carriesFiles(event)) event.preventDefault();
    });
    document.addEventListener("drop", (event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      depth = 0;
      over(false);
      this.add([...(event.dataTransfer?.files ?? [])]);
    });
  }

  private add(files: File[]): void {
    for (const file of files) {
      const known = [...this.rows.keys()].some((item) => item.file.name === file.name && item.file.size === file.size && item.phase !== "failed");
      if (known) toast(texts.upload.already);
      else this.addOne(file);
    }
    this.changed();
  }

  /** The list has other files, or another order. */
  private changed(): void {
    this.drop.classList.toggle("drop--compact", this.rows.size > 0);
    this.queue.draw();
    this.fill();
  }

  private addOne(file: File): void {
    const options = new FormData(this.options);
    const item = new Item(file, options.get("visibility") as Visibility, String(options.get("protection") ?? "none"), this.to);
    if (file.size === 0) item.problem = new Problem(422, "empty", texts.upload.empty);
    if (file.size > this.limit) item.problem = new Problem(413, "too_large", texts.upload.tooLarge(bytes(this.limit)));
    if (item.problem) item.phase = "refused";
    const row = new Row(item, this.wishes);
    item.onChange = () => {
      row.update();
      this.queue.draw();
      if (!item.active) this.fill();
    };
    this.rows.set(item, row);
    this.list.append(row.element);
    this.unfinished.taken(file);
  }

  /** Start what waits while places are free. */
  private fill(): void {
    const items = [...this.rows.keys()];
    let free = AT_ONCE - items.filter((item) => item.active).length;
    for (const item of items) {
      if (free <= 0) return;
      if (item.phase !== "queued") continue;
      item.start();
      free -= 1;
    }
  }

  private readonly wishes: Wishes = {
    start: (item) => item.start(),
    pause: (item) => void item.pause(),
    hurry: (item) => void item.hurry(),
    move: (item, by) => this.move(item, by),
    drop: (item) => {
      this.forget(item);
      need("[data-files]").focus();
    },
  };

  private forget(item: Item): void {
    void item.drop();
    this.rows.get(item)?.element.remove();
    this.rows.delete(item);
    this.changed();
  }

  /** Change places with the one before or after it among those that wait. */
  private move(item: Item, by: -1 | 1): void {
    const order = [...this.rows];
    const waiting = order.filter(([one]) => one.phase === "queued");
    const place = waiting.findIndex(([one]) => one === item) + by;
    const other = waiting[place]?.[0];
    if (!other) return;
    const [at, there] = [item, other].map((one) => order.findIndex(([known]) => known === one)) as [number, number];
    [order[at], order[there]] = [order[there]!, order[at]!];
    this.rows = new Map(order);
    const had = document.activeElement;
    this.list.append(...order.map(([, row]) => row.element));
    if (had instanceof HTMLElement) had.focus();
    this.queue.tell(texts.upload.moved(item.file.name, place + 1));
    this.changed();
  }
}

new Uploader().start();
