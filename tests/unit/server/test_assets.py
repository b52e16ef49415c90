"""The built files of the pages: found by manifest, packed as asked, nothing else served."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import pytest

from streamhost.model.errors import NotFound
from streamhost.server.assets import Assets, UiNotBuilt, accepted_codings

MANIFEST = {
    "_shared-1.js": {"file": "shared-AAAAAAAA.js", "imports": ["_deep-1.js"], "css": ["shared-AAAAAAAA.css"]},
    "_deep-1.js": {"file": "deep-BBBBBBBB.js"},
    "src/page.ts": {
        "file": "page-CCCCCCCC.js",
        "imports": ["_shared-1.js", "_deep-1.js"],
        "css": ["page-CCCCCCCC.css"],
    },
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A web root as a build leaves it."""
    dist = tmp_path / "dist"
    (dist / ".vite").mkdir(parents=True)
    (dist / ".vite" / "manifest.json").write_text(json.dumps(MANIFEST))
    (dist / "page-CCCCCCCC.js").write_bytes(b"plain")
    (dist / "page-CCCCCCCC.js.gz").write_bytes(gzip.compress(b"plain"))
    (dist / "page-CCCCCCCC.js.br").write_bytes(b"brotli")
    (dist / "shared-AAAAAAAA.js").write_bytes(b"small")
    (tmp_path / "secret.txt").write_text("secret")
    return tmp_path


def test_an_entry_names_everything_it_loads(root: Path) -> None:
    """Styles of imported parts come before the page's own; imported scripts are announced, deepest first, once."""
    page = Assets(root)("page")
    assert page.js == "/assets/page-CCCCCCCC.js"
    assert page.css == ("/assets/shared-AAAAAAAA.css", "/assets/page-CCCCCCCC.css")
    assert page.preload == ("/assets/deep-BBBBBBBB.js", "/assets/shared-AAAAAAAA.js")


@pytest.mark.parametrize(
    ("accepted", "content", "coding"),
    [
        ("gzip, deflate, br, zstd", b"brotli", "br"),
        ("gzip;q=0.8, br;q=0", None, "gzip"),
        ("br;q=0.000, gzip;q=0", b"plain", None),
        ("", b"plain", None),
    ],
)
def test_files_are_packed_as_the_client_likes(
    root: Path, accepted: str, content: bytes | None, coding: str | None
) -> None:
    """Brotli where it is taken, else gzip, else plain; a weight of zero means no."""
    found, media_type, chosen = Assets(root).read("page-CCCCCCCC.js", accepted)
    assert chosen == coding
    assert media_type == "text/javascript; charset=utf-8"
    assert found == content if content is not None else gzip.decompress(found) == b"plain"


def test_a_file_without_packed_twins_is_sent_plain(root: Path) -> None:
    """What is too small to be worth packing still comes."""
    assert Assets(root).read("shared-AAAAAAAA.js", "br, gzip")[::2] == (b"small", None)


@pytest.mark.parametrize(
    "name", ["../secret.txt", ".vite/manifest.json", ".inputs", "page-CCCCCCCC.js.gz", "none.js", "", ".", ".."]
)
def test_nothing_but_built_files_is_served(root: Path, name: str) -> None:
    """Neither ways out of the folder, nor hidden files, nor packed twins by name."""
    with pytest.raises(NotFound):
        Assets(root).read(name, "br")


def test_missing_pages_say_what_to_do(tmp_path: Path) -> None:
    """A checkout whose pages were never built names the command that builds them."""
    with pytest.raises(UiNotBuilt) as caught:
        Assets(tmp_path)("main")
    assert "make web" in (caught.value.hint or "")


def test_a_new_build_is_seen_by_a_running_server(root: Path) -> None:
    """Developers build while the server runs: the next page names the new files."""
    assets = Assets(root)
    assert assets("page").js == "/assets/page-CCCCCCCC.js"
    fresh = {**MANIFEST, "src/page.ts": {"file": "page-DDDDDDDD.js"}}
    manifest = root / "dist" / ".vite" / "manifest.json"
    before = manifest.stat().st_mtime_ns
    manifest.write_text(json.dumps(fresh))
    os.utime(manifest, ns=(before + 10**9, before + 10**9))  # two moments may be one for a file system
    assert assets("page").js == "/assets/page-DDDDDDDD.js"


def test_accepted_codings() -> None:
    """Names are compared without case; parameters other than a zero weight do not matter."""
    assert accepted_codings("GZIP ; q=1.0, Br; q=0.5,identity;q=0") == {"gzip", "br"}
