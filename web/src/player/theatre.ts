import { Store } from "../lib/store.ts";

/** The player as wide as the page, which this browser remembers. */
export class Theatre {
  private readonly store = new Store("streamhost.theatre", { on: false });
  private readonly page: HTMLElement;
  private readonly button: HTMLElement;

  constructor(page: HTMLElement, button: HTMLElement) {
    this.page = page;
    this.button = button;
    this.draw();
  }

  toggle(): void {
    this.store.set({ on: !this.store.value.on });
    this.draw();
  }

  private draw(): void {
    const { on } = this.store.value;
    this.page.classList.toggle("watch--theatre", on);
    document.body.classList.toggle("in-theatre", on);
    this.button.setAttribute("aria-pressed", String(on));
  }
}
