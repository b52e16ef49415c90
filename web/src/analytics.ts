import "../styles/analytics.css";
import uPlot from "uplot";
import { plotted, type Kind } from "./lib/plots.ts";

const HEIGHT = 240; // pixels
const WASH = 0.14; // how much of the colour fills the ground below a line

/** A colour of the page as it is in the present theme; canvases know nothing of variables. */
function colour(name: string): string {
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

function washed(stroke: string): string {
  const parts = /rgba?\(([^)]+)\)/.exec(stroke)?.[1]?.split(/[,\s/]+/).slice(0, 3);
  return parts ? `rgb(${parts.join(" ")} / ${WASH})` : stroke;
}

const format = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });

const WHOLE = [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7].flatMap((step) => [step, 2 * step, 5 * step]); // there is no half view

/** A plot in the place of a table, which stays below it for whoever reads rather than looks. */
class Plot {
  private readonly box: HTMLElement;
  private readonly table: HTMLTableElement;
  private readonly kind: Kind;
  private chart: uPlot | null = null;

  constructor(box: HTMLElement, table: HTMLTableElement) {
    this.box = box;
    this.table = table;
    this.kind = box.dataset["plot"] === "retention" ? "retention" : "days";
    new ResizeObserver(() => this.chart?.setSize({ width: box.clientWidth, height: HEIGHT })).observe(box);
  }

  draw(): void {
    this.chart?.destroy();
    const { names, columns } = plotted(this.table, this.kind);
    const [ink, line] = [colour("--ink-faint"), colour("--line")];
    const strokes = [colour("--accent"), colour("--warning")];
    const days = this.kind === "days";
    const axis = { stroke: ink, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 }, font: "12px system-ui" };
    const series: uPlot.Series[] = names.map((label, n) => {
      const stroke = strokes[n % strokes.length] ?? ink;
      const shown: uPlot.Series = { label, stroke, width: 2, value: (_, value) => (value === null ? "–" : format.format(value)) };
      if (n === 0) shown.fill = washed(stroke);
      return shown;
    });
    const moment = (_: uPlot, at: number) => (at === null ? "–" : new Date(at * 1000).toLocaleDateString(undefined, { timeZone: "UTC" }));
    const place = (_: uPlot, at: number) => (at === null ? "–" : `${Math.round(at)} %`);
    const x: uPlot.Axis = { ...axis, space: 64 };
    if (!days) x.values = (_, splits) => splits.map((at) => `${at} %`);
    const options: uPlot.Options = {
      width: this.box.clientWidth,
      height: HEIGHT,
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "UTC"),
      scales: { x: { time: days }, y: { range: days ? (_, _low, high) => [0, Math.max(1, high)] : [0, 100] } },
      axes: [x, { ...axis, size: 48, incrs: WHOLE }],
      series: [{ value: days ? moment : place, label: days ? "Day" : "Place" }, ...series],
      cursor: { points: { size: 7 }, drag: { x: false, y: false } },
    };
    this.chart = new uPlot(options, columns as uPlot.AlignedData, this.box);
  }
}

const plots: Plot[] = [];
for (const box of document.querySelectorAll<HTMLElement>("[data-plot]")) {
  const table = document.getElementById(box.dataset["table"] ?? "");
  if (!(table instanceof HTMLTableElement)) continue;
  box.hidden = false;
  plots.push(new Plot(box, table));
  const details = table.closest("details");
  if (details) details.open = false;
}

const draw = () => plots.forEach((plot) => plot.draw());
draw();
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
new MutationObserver(draw).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
