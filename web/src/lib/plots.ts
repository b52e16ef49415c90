export type Kind = "days" | "retention";

export interface Plotted {
  /** What the columns after the first are called. */
  names: string[];
  /** Places on the ground line, then one list of values for each name. */
  columns: number[][];
}

/** The numbers of a table whose cells say them in `data-value`; of days, in seconds since 1970. */
export function plotted(table: HTMLTableElement, kind: Kind): Plotted {
  const heads = [...table.querySelectorAll("thead th")];
  const wanted = heads.map((head, column) => (head.hasAttribute("data-series") ? column : -1)).filter((column) => column > 0);
  const names = wanted.map((column) => heads[column]?.textContent?.trim() ?? "");
  const columns: number[][] = [[], ...wanted.map(() => [])];
  for (const row of table.tBodies[0]?.rows ?? []) {
    const at = row.cells[0]?.dataset["value"] ?? "";
    columns[0]?.push(kind === "days" ? Date.parse(`${at}T00:00:00Z`) / 1000 : Number(at));
    wanted.forEach((column, n) => columns[n + 1]?.push(Number(row.cells[column]?.dataset["value"] ?? 0)));
  }
  return { names, columns };
}
