"""The documentation as a site."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tests.house.tree import ROOT


def build(docs: Path, out: Path) -> subprocess.CompletedProcess[str]:
    """What `make site` does."""
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", str(docs), str(out)]
    return subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)


def test_the_site_is_built(tmp_path: Path) -> None:
    """Every page gets into the site and into its tree, without a warning."""
    made = build(ROOT / "docs", tmp_path)
    assert (made.returncode, made.stderr) == (0, "")
    pages = {str(page.relative_to(ROOT / "docs").with_suffix(".html")) for page in (ROOT / "docs").rglob("*.md")}
    assert pages <= {str(page.relative_to(tmp_path)) for page in tmp_path.rglob("*.html")}
    index = (tmp_path / "index.html").read_text("utf-8")
    assert [page for page in sorted(pages) if f'href="{page}"' not in index and page != "index.html"] == []


def test_a_broken_link_ends_it(tmp_path: Path) -> None:
    """A link to a page, or to a heading of one, that is not there is an error."""
    docs = tmp_path / "docs"
    docs.mkdir()
    shutil.copy(ROOT / "docs" / "conf.py", docs)
    (tmp_path / "web" / "src").mkdir(parents=True)
    shutil.copy(ROOT / "web" / "src" / "logo.svg", tmp_path / "web" / "src")
    (docs / "index.md").write_text("# Index\n\n[a](no-page.md) [b](#no-heading)\n", "utf-8")
    made = build(docs, tmp_path / "out")
    assert made.returncode != 0
    assert "no-page.md" in made.stderr
    assert "no-heading" in made.stderr
