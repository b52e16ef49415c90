import { setIcon } from "../lib/dom.ts";
import { texts } from "../lib/texts.ts";

/** Pictures that speak against a video are blurred until somebody wants to see them: one by one, or all at once. */
export class Veil {
  private readonly button: HTMLButtonElement | null;
  private readonly shows: NodeListOf<HTMLInputElement>;

  constructor(page: ParentNode) {
    this.button = page.querySelector("[data-blur]");
    this.shows = page.querySelectorAll(".evidence__show");
    if (!this.button) return;
    this.button.hidden = false;
    this.button.addEventListener("click", () => this.toggle());
  }

  toggle(): void {
    if (!this.button) return;
    const blurred = this.button.getAttribute("aria-pressed") !== "true";
    this.button.setAttribute("aria-pressed", String(blurred));
    setIcon(this.button, blurred ? "eye-off" : "eye");
    const words = this.button.childNodes[1];
    if (words) words.textContent = ` ${blurred ? texts.desk.blurred : texts.desk.shown} `;
    for (const show of this.shows) show.checked = !blurred;
  }
}
