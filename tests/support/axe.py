"""axe-core on a page: what it finds wrong by the rules of WCAG 2.2 AA and good practice."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
COLOURS = ("color-contrast", "link-in-text-block")
"""The rules that colours decide. All others find the same in every theme, so that one of them is enough for those."""
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")


def complaints(page: Page, within: str = "html", but: tuple[str, ...] = (), only: tuple[str, ...] = ()) -> list[str]:
    """What axe-core finds wrong inside the element `within`, one line a place. `but`: rules that are left out, such as
    those for whole pages where only a part is looked at. `only`: no other rules than these."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate(
        """([within, runOnly, but]) => axe.run(within, {
            runOnly,
            resultTypes: ['violations'],
            rules: Object.fromEntries(but.map(name => [name, { enabled: false }])),
        }).then(r => r.violations)""",
        [within, {"type": "rule", "values": only} if only else {"type": "tag", "values": RULES}, but],
    )
    return [f"{one['id']}: {node['html'][:160]} {node['failureSummary']}" for one in found for node in one["nodes"]]
