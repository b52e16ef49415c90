import { clock } from "./format.ts";

/** The form of a report knows where the player stands when it is opened. */
export function startReports(): void {
  const opener = document.querySelector("[data-report]");
  const place = document.querySelector<HTMLInputElement>("#report-dialog input[name=at]");
  const video = document.querySelector("video");
  opener?.addEventListener("click", () => {
    if (place && video && video.currentTime > 1) place.value = clock(Math.floor(video.currentTime));
  });
}
