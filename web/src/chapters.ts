import "../styles/chapters.css";
import { need } from "./lib/dom.ts";
import { optionsOf } from "./player/options.ts";
import { Session } from "./player/session.ts";

// The player beside the chapters: as in a frame of another page nothing in it leads away, so nothing typed is lost.
void new Session(need("[data-player]"), optionsOf(new URL(window.location.href))).begin();
