import { setText } from "./dom.ts";
import { texts } from "./texts.ts";

type Theme = "system" | "light" | "dark";

const ORDER: Theme[] = ["system", "light", "dark"];
const YEAR = 31_536_000; // seconds

function current(): Theme {
  const set = document.documentElement.dataset["theme"];
  return set === "light" || set === "dark" ? set : "system";
}

/** The choice lives in a cookie, so that the server can write it into the page and nothing flashes on loading. */
function choose(theme: Theme): void {
  if (theme === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
  const age = theme === "system" ? 0 : YEAR;
  document.cookie = `theme=${theme}; path=/; max-age=${age}; samesite=lax`;
}

export function startTheme(): void {
  for (const button of document.querySelectorAll<HTMLButtonElement>("[data-theme-toggle]")) {
    const name = button.querySelector("[data-theme-name]");
    setText(name, texts.theme[current()]);
    button.hidden = false;
    button.addEventListener("click", () => {
      const next = ORDER[(ORDER.indexOf(current()) + 1) % ORDER.length]!;
      choose(next);
      setText(name, texts.theme[next]);
    });
  }
}
