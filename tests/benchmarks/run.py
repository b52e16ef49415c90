"""Run the benchmarks beside this file, one after the other: `python tests/benchmarks/run.py [delivery ladder …]`.

A benchmark is a program `bench_<name>.py`. Among text for people it prints one JSON object a line for each figure:
`{"name": …, "ours": …, "peer": …, "ratio": …, "unit": …, "aim": …}`; `peer` and `ratio` are null where there is nobody
to compare with, and `aim` is a text such as `>= 0.9x` (about the ratio) or `<= 5` (about ours). Its table in
`docs/explanation/performance.md` is written anew; those of benchmarks that did not run stay as they are.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PAGE = ROOT / "docs" / "explanation" / "performance.md"
BEGIN, END = "<!-- figures: written by `make bench` -->", "<!-- end of figures -->"
LONGEST_SECONDS = 1800
TABLE = re.compile(r"^### (?P<name>\S+)\n.*?(?=^### |\Z)", re.MULTILINE | re.DOTALL)
AIM = re.compile(r"(?P<sign><=|>=)\s*(?P<limit>[\d.]+)\s*(?P<times>x?)")

Figure = dict[str, Any]


def machine() -> dict[str, str]:
    """What the figures were measured on."""
    about = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    model = re.search(r"model name\s*: (.*)", about)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    return {
        "processor": f"{os.cpu_count()} x {model[1].strip() if model else platform.machine()}",
        "memory": f"{memory:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def run(path: Path) -> tuple[list[Figure], bool]:
    """One benchmark's figures, and whether it came to its end; its output is shown as it comes."""
    name = path.stem.removeprefix("bench_")
    print(f"\n=== {name}", flush=True)
    figures: list[Figure] = []
    compiled = {
        **os.environ,
        "PYTHONDONTWRITEBYTECODE": "",
    }  # kept, as installers do, also where a container forbids it
    with subprocess.Popen([sys.executable, path], cwd=ROOT, env=compiled, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        watch = threading.Timer(LONGEST_SECONDS, child.kill)
        watch.start()
        for line in child.stdout:
            print(line, end="", flush=True)
            figure = parse(line)
            if figure:
                figures.append({**figure, "bench": name})
        watch.cancel()
    return figures, child.returncode == 0 and bool(figures)


def parse(line: str) -> Figure | None:
    """The figure on a line, or None when it is text for people."""
    if not line.lstrip().startswith("{"):
        return None
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) and {"name", "ours", "unit"} <= found.keys() else None


def outcome(figure: Figure) -> str:
    """The aim and whether it is met, in words; empty where there is none."""
    said = AIM.search(str(figure.get("aim") or ""))
    if not said:
        return str(figure.get("aim") or "")
    value = figure.get("ratio") if said["times"] else figure["ours"]
    if value is None:
        return said[0]
    limit = float(said["limit"])
    met = value <= limit if said["sign"] == "<=" else value >= limit
    return f"{said[0]}: {'met' if met else 'missed'}"


def number(value: Any) -> str:
    """A figure with three digits that matter."""
    if not isinstance(value, int | float):
        return "" if value is None else str(value)
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def times(ratio: Any) -> str:
    """A ratio with two decimals; with three where two would not tell it from one."""
    if not isinstance(ratio, int | float):
        return ""
    return f"{ratio:.3f}x" if 0.99 < ratio < 1.01 else f"{ratio:.2f}x"


def rows(figures: list[Figure]) -> list[list[str]]:
    """The table's rows: what, ours, peer, ratio, aim."""
    head = ["figure", "unit", "ours", "peer", "ratio", "aim"]
    return [head] + [
        [
            str(figure["name"]),
            str(figure["unit"]),
            number(figure["ours"]),
            number(figure.get("peer")),
            times(figure.get("ratio")),
            outcome(figure),
        ]
        for figure in figures
    ]


def text_table(figures: list[Figure]) -> str:
    """For a terminal."""
    lines = rows(figures)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)


def table(name: str, figures: list[Figure]) -> str:
    """A benchmark's part of the page: its figures, and what they were measured on."""
    head, *body = rows(figures)
    lines = [f"### {name}", "", *(f"| {' | '.join(line)} |" for line in (head, ["---"] * len(head), *body)), ""]
    about, today = machine(), datetime.datetime.now(datetime.UTC).date().isoformat()
    where = f"{about['processor']}, {about['memory']}, {about['system']}"
    return "\n".join([*lines, f"Measured on {today} with Python {about['python']}: {where}."])


def refresh_page(figures: list[Figure]) -> None:
    """Write the tables of the benchmarks that ran between the marks of the page, and leave the others."""
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    inside, _, after = rest.partition(END)
    tables = {found["name"]: found[0].strip() for found in TABLE.finditer(inside)}
    for name in dict.fromkeys(figure["bench"] for figure in figures):
        tables[name] = table(name, [figure for figure in figures if figure["bench"] == name])
    written = "\n\n".join(tables[name] for name in sorted(tables))
    PAGE.write_text(f"{before}{BEGIN}\n\n{written}\n\n{END}{after}", "utf-8")


def main() -> int:
    """0 when every benchmark that was asked for came to its end with a figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("only", nargs="*", help="names, such as delivery; none: all")
    asked = parser.parse_args().only
    found = {path.stem.removeprefix("bench_"): path for path in sorted(HERE.glob("bench_*.py"))}
    unknown = set(asked) - set(found)
    if unknown or not found:
        print(
            f"no such benchmark: {', '.join(unknown) or 'none at all'}; there are: {', '.join(found)}", file=sys.stderr
        )
        return 2
    figures: list[Figure] = []
    broken = []
    for name, path in found.items():
        if asked and name not in asked:
            continue
        mine, whole = run(path)
        figures += mine
        if not whole:
            broken.append(name)
    refresh_page(figures)
    print(f"\n{text_table(figures)}")
    if broken:
        print(f"\nwithout a result: {', '.join(broken)}", file=sys.stderr)
    return int(bool(broken))


if __name__ == "__main__":
    sys.exit(main())
