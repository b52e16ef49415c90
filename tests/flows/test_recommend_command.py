"""`streamhost recommend` on a site with views: figures with a report, training, what is proposed, beginning anew."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from tests.support.command import document, run
from tests.support.watching import watch_all
from tests.unit.recommendations.conftest import a_site

PATIENT = {"STREAMHOST_RECOMMENDATIONS_PATIENCE": "10"}
"""Lists are made without sources that are slower than that."""


def recommend(data: Path, *words: str, code: int = 0) -> Any:
    """What a command says as JSON, or in words if it fails."""
    done = run("recommend", *words, "--data", str(data), "--json", env=PATIENT)
    if code == 0:
        return document(done)
    assert done.exit_code == code, done.output
    return done.output


async def fill(data: Path) -> None:
    """A site on which Alice has watched half of Carol's videos."""
    async with a_site(data) as site:
        await watch_all(site.db, f"u:{site.alice.id}", site.climbing[:2])


def test_from_figures_to_proposals(tmp_path: Path) -> None:
    """A report of one's own site and of somebody's data set, a model, and what Alice gets from it and why."""
    data, page = tmp_path / "data", tmp_path / "report.html"
    asyncio.run(fill(data))
    assert recommend(data, "status")["trained"] is None
    found = recommend(data, "eval", "--split", "last", "--report", str(page))
    assert [one["name"] for one in found["figures"]] == ["model", "item-kNN", "popularity"]
    assert page.read_text("utf-8").count("<svg") == 2

    table = tmp_path / "views.csv"
    rows = (f"{user},{user % 4 * 5 + place},{place}\n" for user in range(40) for place in range(5))
    table.write_text("user_id,item_id,timestamp\n" + "".join(rows))
    said = run("recommend", "eval", "--dataset", str(table), "--split", "random", "--data", str(data)).output
    assert "model ahead by" in said
    [popular] = [line for line in said.splitlines() if line.startswith("popularity")]
    assert popular.split()[-3].startswith("(+"), "with four circles the model must be ahead"
    table.write_text("a,b\n1,2\n")
    assert "No column" in recommend(data, "eval", "--dataset", str(table), code=1)

    assert recommend(data, "train")["videos"] == 8
    status = recommend(data, "status")
    assert (status["trained"]["viewers"], status["waiting"]) == (13, 0)
    first = recommend(data, "show", "alice@example.org")["items"][0]
    assert first["title"].startswith("Climbing the")
    assert first["reason"].startswith(("Because you watched Climbing the", "Viewers like you"))
    assert recommend(data, "reset")["reset"] is True
    assert recommend(data, "reset")["reset"] is False
    recommend(data, "reset", "--user", "alice@example.org")
    reasons = [one["reason"] for one in recommend(data, "show", "alice@example.org")["items"]]
    assert reasons and set(reasons) <= {"Popular here", "New here", "Something different"}
