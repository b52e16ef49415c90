import "../styles/embed.css";
import { need } from "./lib/dom.ts";
import { startDialogs } from "./lib/page.ts";
import { optionsOf } from "./player/options.ts";
import { Session } from "./player/session.ts";

// The player inside another page: what it shall do stands in its own address.
startDialogs();
void new Session(need("[data-player]"), optionsOf(new URL(window.location.href))).begin();
