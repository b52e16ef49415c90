import "../styles/main.css";
import "./icons.svg?url";
import "./logo.svg?url";
import { startCopies } from "./lib/copy.ts";
import { startDialogs, startForms, startLiveVideos, startPasswords, startTimes } from "./lib/page.ts";
import { startPosters } from "./lib/posters.ts";
import { startRefreshing } from "./lib/refresh.ts";
import { startTheme } from "./lib/theme.ts";

startTheme();
startTimes();
startForms();
startPasswords();
startDialogs();
startLiveVideos();
startCopies();
startPosters();
startRefreshing();
