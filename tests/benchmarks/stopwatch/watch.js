// Tells when the first picture that moves was shown: in milliseconds after the navigation began, or, where the address ends
// with `#press`, after play was pressed on a page that had come to rest.

const REST = 1500; // ms after everything has loaded

function begin() {
  const video = document.querySelector("video");
  if (!video) return;
  let from = 0;
  const shown = (now) => {
    if (video.paused || video.currentTime === 0) video.requestVideoFrameCallback(shown);
    else void chrome.runtime.sendMessage(now - from);
  };
  video.requestVideoFrameCallback(shown);
  if (location.hash !== "#press") return;
  addEventListener("load", () =>
    setTimeout(() => {
      from = performance.now();
      document.querySelector("[data-start]").click();
    }, REST),
  );
}

addEventListener("DOMContentLoaded", begin);
