import { need, setText } from "./dom.ts";
import { csrfToken, problemFrom } from "./http.ts";

/** On the edit page: add captions. Listing and removing them works without script. */
export function startCaptions(): void {
  const root = document.querySelector<HTMLElement>("[data-captions-desk]");
  if (!root) return;
  const form = need<HTMLFormElement>("[data-captions-form]", root);
  const error = need("[data-captions-error]", root);
  const button = need<HTMLButtonElement>("button[type=submit]", form);
  form.hidden = false;
  need<HTMLSelectElement>("select", form).required = true;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    error.hidden = true;
    button.disabled = true;
    const trouble = await send(root.dataset["video"] ?? "", new FormData(form));
    button.disabled = false;
    if (!trouble) return window.location.reload();
    setText(error, trouble);
    error.hidden = false;
  });
}

/** The words of what went wrong; nothing if the captions were taken. */
async function send(video: string, body: FormData): Promise<string> {
  const headers = { "X-CSRF-Token": csrfToken() };
  const address = `/api/v1/videos/${encodeURIComponent(video)}/captions`;
  const answer = await fetch(address, { method: "POST", body, headers, credentials: "same-origin" }).catch(() => null);
  if (answer?.ok) return "";
  return problemFrom(answer?.status ?? 0, (await answer?.text()) ?? "").message;
}
