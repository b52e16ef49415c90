import { texts } from "./texts.ts";
import { toast } from "./toast.ts";

/** Buttons that copy what stands beside them; without a script they are not there. */
export function startCopies(): void {
  for (const button of document.querySelectorAll<HTMLElement>("[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const done = await navigator.clipboard?.writeText(button.dataset["copy"] ?? "").then(() => true, () => false);
      toast(done ? texts.copied : texts.notCopied);
    });
  }
}
