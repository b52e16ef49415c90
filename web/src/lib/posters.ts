import { need, setText } from "./dom.ts";
import { csrfToken, problemFrom } from "./http.ts";

/** On the edit page: send a picture of one's own as the poster. Without script the candidates can still be picked. */
export function startPosters(): void {
  const root = document.querySelector<HTMLElement>("[data-posters]");
  if (root) startPicture(root, "poster", "POST", `/api/v1/videos/${encodeURIComponent(root.dataset.video ?? "")}/poster`);
}

/** A picture that is sent as soon as it is picked, by the elements `[data-<name>-pick]`, `-file` and `-error`; the page is loaded anew with it. */
export function startPicture(root: HTMLElement, name: string, method: string, address: string): void {
  need(`[data-${name}-pick]`, root).hidden = false;
  const input = need<HTMLInputElement>(`[data-${name}-file]`, root);
  const error = need(`[data-${name}-error]`, root);
  input.addEventListener("change", async () => {
    const file = input.files?.[0];
    if (!file) return;
    error.hidden = true;
    const trouble = await send(method, address, file);
    input.value = "";
    if (!trouble) return window.location.reload();
    setText(error.querySelector("span") ?? error, trouble);
    error.hidden = false;
  });
}

/** The words of what went wrong; nothing if the picture was taken. */
async function send(method: string, address: string, file: File): Promise<string> {
  const body = new FormData();
  body.append("file", file);
  const headers = { "X-CSRF-Token": csrfToken() };
  const answer = await fetch(address, { method, body, headers, credentials: "same-origin" }).catch(() => null);
  if (answer?.ok) return "";
  return problemFrom(answer?.status ?? 0, (await answer?.text()) ?? "").message;
}
