import { need, setText } from "./dom.ts";
import { csrfToken, problemFrom } from "./http.ts";

/** On the edit page: send a picture of one's own as the poster. Without script the candidates can still be picked. */
export function startPosters(): void {
  const root = document.querySelector<HTMLElement>("[data-posters]");
  if (!root) return;
  const pick = need("[data-poster-pick]", root);
  const input = need<HTMLInputElement>("[data-poster-file]", root);
  const error = need("[data-poster-error]", root);
  pick.hidden = false;
  input.addEventListener("change", async () => {
    const file = input.files?.[0];
    if (!file) return;
    error.hidden = true;
    const trouble = await sendPicture("POST", `/api/v1/videos/${encodeURIComponent(root.dataset.video ?? "")}/poster`, file);
    input.value = "";
    if (!trouble) return window.location.reload();
    setText(error, trouble);
    error.hidden = false;
  });
}

/** The words of what went wrong; nothing if the picture was taken. */
export async function sendPicture(method: string, address: string, file: File): Promise<string> {
  const body = new FormData();
  body.append("file", file);
  const headers = { "X-CSRF-Token": csrfToken() };
  const answer = await fetch(address, { method, body, headers, credentials: "same-origin" }).catch(() => null);
  if (answer?.ok) return "";
  return problemFrom(answer?.status ?? 0, (await answer?.text()) ?? "").message;
}
