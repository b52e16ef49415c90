"""The runner of the benchmarks: what it takes for a figure, what it says of aims, what it writes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.benchmarks import run


def figure(**more: object) -> run.Figure:
    return {"bench": "b", "name": "n", "ours": 1.0, "peer": 2.0, "ratio": 0.5, "unit": "s", **more}


@pytest.mark.parametrize("line", ["text", "{not json", '{"name": "n"}', "[1]", ""])
def test_text_is_no_figure(line: str) -> None:
    """Lines for people, and objects without the needed members, are passed over."""
    assert run.parse(line) is None


def test_a_figure_is_taken() -> None:
    """One JSON object on a line is a figure."""
    assert run.parse('{"name": "n", "ours": 1, "unit": "s"}\n') == {"name": "n", "ours": 1, "unit": "s"}


@pytest.mark.parametrize(
    ("aim", "said"),
    [
        (">= 0.9x", ">= 0.9x: missed"),
        ("<= 0.5x", "<= 0.5x: met"),
        ("<= 5", "<= 5: met"),
        (">= 5", ">= 5: missed"),
        (None, ""),
        ("as low as can be", "as low as can be"),
    ],
)
def test_aims(aim: str | None, said: str) -> None:
    """An aim with an x is about the ratio, one without about ours; other words are shown as they are."""
    assert run.outcome(figure(aim=aim)) == said


def test_the_page_keeps_what_was_not_measured_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run of one benchmark replaces its own table, leaves the others to the letter, and touches nothing outside the
    marks; also in a fresh checkout, where the page is all there is."""
    page = tmp_path / "performance.md"
    page.write_text(f"before\n{run.BEGIN}\n{run.END}\nafter\n")
    monkeypatch.setattr(run, "PAGE", page)
    run.refresh_page([figure(bench="one", name="first"), figure(bench="two", name="second")])
    begin = page.read_text().partition("### two")[0]
    run.refresh_page([figure(bench="two", name="third")])
    text = page.read_text()
    assert text.startswith(begin)
    assert text.endswith(f"{run.END}\nafter\n")
    assert "first" in text
    assert "third" in text
    assert "second" not in text
    run.refresh_page([figure(bench="a", name="fourth")])
    assert [line for line in page.read_text().splitlines() if line.startswith("###")] == ["### a", "### one", "### two"]
    assert text.partition("### one")[2] == page.read_text().partition("### one")[2]


def test_a_benchmark_that_fails_is_told(tmp_path: Path) -> None:
    """A benchmark without a figure, or with a bad end, has no result."""
    (tmp_path / "bench_silent.py").write_text("print('nothing')")
    (tmp_path / "bench_broken.py").write_text(f"print({json.dumps(json.dumps(figure()))}); raise SystemExit(1)")
    (tmp_path / "bench_good.py").write_text(f"print({json.dumps(json.dumps(figure()))})")
    assert run.run(tmp_path / "bench_silent.py") == ([], False)
    assert run.run(tmp_path / "bench_broken.py")[1] is False
    assert run.run(tmp_path / "bench_good.py") == ([figure(bench="good")], True)
