"""What was measured, and a page to look at it: one HTML file with its plots as SVG, that needs nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import msgspec

from streamhost.model.clock import Timestamp, iso
from streamhost.model.recommendations import Figures

WAYS = {
    "time": "By one moment for all: a model that knows what was watched before it is asked for what came after.",
    "last": "Of every viewer, the last video is asked for, by a model that knows everything else.",
    "random": "Of every viewer, a tenth of their videos is asked for; eight tenths are learned from.",
}
COLOURS = ("#2563eb", "#d97706", "#6b7280", "#059669", "#9333ea")
_WIDE, _HIGH, _EDGE = 420.0, 260.0, 44.0
_TICKS = 4

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; }
table { border-collapse: collapse; } th, td { padding: .3rem .8rem; text-align: right; border-bottom: 1px solid #8884; }
th:first-child, td:first-child { text-align: left; } figure { display: inline-block; margin: 1rem 1rem 0 0; }
figcaption { font-weight: 600; } svg { max-width: 100%; } svg text { font-size: 11px; fill: currentColor; }
@media (prefers-color-scheme: dark) { body { background: #16181d; color: #e6e6e6; } }
"""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What was measured: how it was split, on how much, and the figures of each way to propose."""

    way: str
    dataset: str
    viewers: int
    videos: int
    watched: int
    asked: int
    figures: Sequence[Figures]

    def page(self, at: Timestamp) -> str:
        """As an HTML page."""
        return _page(self, at)

    def document(self) -> dict[str, Any]:
        """For programs."""
        found: dict[str, Any] = msgspec.to_builtins(self, str_keys=True)
        return found


def _page(found: Evaluation, at: Timestamp) -> str:
    title = f"Recommendations measured on {found.dataset or 'this site'}"
    ndcg = _plot("NDCG@k", found.figures, lambda one, k: one.by_k[k][0])
    recall = _plot("Recall@k", found.figures, lambda one, k: one.by_k[k][1])
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{escape(title)}</title><style>{_STYLE}</style></head><body>
<h1>{escape(title)}</h1>
<p>{found.watched:,} times, one of {found.viewers:,} viewers watched one of {found.videos:,} videos. {WAYS[found.way]}
Asked about: {found.asked:,} viewers. Every video is ranked for every one of them. {iso(at)}</p>
{_table(found.figures)}
{ndcg}{recall}
<p>± is half of the 95 % interval. Ahead: by how much the model's NDCG@10 is the higher one, viewer by viewer, with the
95 % interval of that (paired bootstrap); where it spans 0, nobody can tell which is better. Coverage: share of all
videos that stand in anybody's first ten. Novelty: mean of -log2 of the share of viewers that know what is proposed;
more is less obvious.</p>
</body></html>
"""


def _table(figures: Sequence[Figures]) -> str:
    rows = "".join(
        f"<tr><td>{escape(one.name)}</td><td>{one.ndcg:.4f} ± {one.ndcg_error:.4f}</td>"
        f"<td>{one.recall:.4f} ± {one.recall_error:.4f}</td><td>{one.coverage:.1%}</td><td>{one.novelty:.2f}</td>"
        f"<td>{ahead_in_words(one)}</td></tr>"
        for one in figures
    )
    return (
        "<table><thead><tr><th></th><th>NDCG@10</th><th>Recall@10</th><th>Coverage@10</th><th>Novelty@10</th>"
        "<th>Model ahead</th></tr>"
        f"</thead><tbody>{rows}</tbody></table>"
    )


def ahead_in_words(one: Figures) -> str:
    """How far the model is ahead of a way to propose; empty for the model itself."""
    if one.beaten_by is None:
        return ""
    mean, low, high = one.beaten_by
    return f"{mean:+.4f} ({low:+.4f} to {high:+.4f})"


def _plot(title: str, figures: Sequence[Figures], value: Callable[[Figures, int], float]) -> str:
    lengths = sorted(figures[0].by_k) if figures else []
    most = max((value(one, k) for one in figures for k in lengths), default=0.0) or 1.0

    def x(place: int) -> float:
        return _EDGE + place * (_WIDE - 2 * _EDGE) / max(1, len(lengths) - 1)

    def y(height: float) -> float:
        return _HIGH - _EDGE - height / most * (_HIGH - 2 * _EDGE)

    parts = [
        f'<text x="{x(n):.1f}" y="{_HIGH - _EDGE + 16:.1f}" text-anchor="middle">{k}</text>'
        for n, k in enumerate(lengths)
    ]
    for step in range(_TICKS + 1):
        height = most * step / _TICKS
        parts.append(
            f'<line x1="{_EDGE}" x2="{_WIDE - _EDGE}" y1="{y(height):.1f}" y2="{y(height):.1f}" stroke="#8884"/>'
            f'<text x="{_EDGE - 6}" y="{y(height) + 4:.1f}" text-anchor="end">{height:.2f}</text>'
        )
    for number, one in enumerate(figures):
        colour = COLOURS[number % len(COLOURS)]
        points = " ".join(f"{x(n):.1f},{y(value(one, k)):.1f}" for n, k in enumerate(lengths))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(
            f'<text x="{_EDGE + 8}" y="{_EDGE - 22 + 14 * number}" style="fill:{colour}">{escape(one.name)}</text>'
        )
    drawn = "".join(parts)
    return (
        f'<figure><figcaption>{escape(title)}</figcaption><svg viewBox="0 0 {_WIDE:g} {_HIGH:g}" width="{_WIDE:g}" '
        f'role="img" aria-label="{escape(title)} of each way to propose">{drawn}</svg></figure>'
    )
