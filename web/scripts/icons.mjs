// Gathers the icons the pages use into one sprite (src/icons.svg), so that a page asks for one small cached file.
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const web = join(dirname(fileURLToPath(import.meta.url)), "..");

const NAMES = [
  "arrow-down", "arrow-left", "arrow-up", "bell", "captions", "captions-off", "chart-column", "check", "chevron-down", "chevron-right", "circle-alert", "circle-check", "circle-help", "circle-x", "clock", "cloud-upload", "copy", "download",
  "eye", "eye-off", "film", "flag", "folder-open", "gauge", "globe", "hand", "hard-drive", "heart", "history", "house", "inbox", "info", "key-round", "keyboard", "library", "link", "list-video",
  "loader-circle", "list-checks", "lock", "log-out", "mail", "maximize", "minimize", "palette", "pause", "pencil", "picture-in-picture-2",
  "play", "plug", "plus", "rectangle-horizontal", "rotate-ccw", "scale", "scan-eye", "scroll-text", "search", "settings", "share-2", "shield-alert", "shield-check", "sun-moon", "ticket", "trash-2",
  "triangle-alert", "undo-2", "upload", "user", "user-plus", "users", "volume-1", "volume-2", "volume-x", "webhook", "x",
];

const symbols = NAMES.map((name) => {
  const svg = readFileSync(join(web, "node_modules/lucide-static/icons", `${name}.svg`), "utf8");
  const drawing = svg.slice(svg.indexOf(">", svg.indexOf("<svg")) + 1, svg.lastIndexOf("</svg>")).replace(/\s*\n\s*/g, "");
  return `<symbol id="${name}" viewBox="0 0 24 24">${drawing}</symbol>`;
});

writeFileSync(
  join(web, "src/icons.svg"),
  `<svg xmlns="http://www.w3.org/2000/svg"><!-- lucide icons, ISC licence -->${symbols.join("")}</svg>\n`,
);
