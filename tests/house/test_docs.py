"""The documentation: generated pages are fresh, links lead somewhere, commands exist."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import reference
from streamhost import config
from tests.house.tree import ROOT, kept_files, short
from tests.support.installed import plugin_settings

PAGES = tuple(path for path in kept_files() if path.suffix == ".md" and "node_modules" not in path.parts)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\((?P<target>[^)\s]+)(?:\s+\"[^\"]*\")?\)")
PICTURE = re.compile(r"!\[([^\]]*)\]\((?!https?:)([^)\s]+)\)")
LARGEST_PICTURE = 200_000
ABOUT_EXAMPLES = ("examples/plugin-", "docs/tutorials/first-plugin")
"""Pages that speak of the settings of plugins that are only examples."""
FENCE = re.compile(r"```.*?```", re.DOTALL)
CODE = re.compile(r"`[^`\n]+`")
HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}")
HERE = ("127.0.0.1", "localhost", "[::1]")
"""Where readers run what they are told of."""


def anchors(page: Path) -> set[str]:
    """The headings of a page as fragments, the way renderers spell them."""
    heads = re.findall(r"^#+\s+(.*?)\s*$", FENCE.sub("", page.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("name", sorted(reference.MAKERS))
def test_generated_pages_are_fresh(name: str) -> None:
    """A reference page says what the program says; `make docs` writes it anew."""
    assert (ROOT / "docs" / "reference" / name).read_text("utf-8") == reference.MAKERS[name](), "run `make docs`"


@pytest.mark.parametrize("page", PAGES, ids=short)
def test_pictures_are_there(page: Path) -> None:
    """A picture that a page shows is kept beside it, has words for those who do not see it, and loads quickly."""
    for words, target in PICTURE.findall(FENCE.sub("", page.read_text("utf-8"))):
        assert words.strip()
        assert (page.parent / target).stat().st_size <= LARGEST_PICTURE, target


@pytest.mark.parametrize("page", PAGES, ids=short)
def test_links_lead_somewhere(page: Path) -> None:
    """A relative link names a file that is there, and a heading that is in it."""
    broken = []
    for link in LINK.finditer(FENCE.sub("", page.read_text("utf-8"))):
        target, _, fragment = link["target"].partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        file = (page.parent / target).resolve() if target else page
        if not file.exists() or (fragment and file.suffix == ".md" and fragment not in anchors(file)):
            broken.append(link["target"])
    assert broken == []


def unsound(address: str) -> bool:
    """Whether an address elsewhere is mistyped or unsafe to follow, as far as can be told without asking anybody."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    if host in HERE:
        return parts.scheme not in ("http", "https")
    strange = parts.username or parts.port or "//" in parts.path or parts.path.endswith((".", ",", ";", ":"))
    return parts.scheme != "https" or not HOST.fullmatch(host) or bool(strange) or address.endswith(("#", "?"))


@pytest.mark.parametrize("page", PAGES, ids=short)
def test_links_elsewhere_are_sound(page: Path) -> None:
    """Whatever leads to another site, as a link or as a plain address, is encrypted, names a host as hosts are named,
    and has no name, port or stray sign in it. Other schemes are for mail alone."""
    text = CODE.sub("", FENCE.sub("", page.read_text("utf-8")))
    targets = [link["target"] for link in LINK.finditer(text)]
    elsewhere = {one for one in targets if re.match(r"[a-z][a-z0-9+.-]*:", one, re.IGNORECASE)}
    elsewhere |= {one.rstrip(".,;:") for one in re.findall(r"\bhttps?://[^\s<>\[\]()\"']+", text)}
    assert sorted(one for one in elsewhere if unsound(one) and not one.startswith("mailto:")) == []


@pytest.mark.parametrize(
    "address",
    [
        "http://example.org/",
        "https://example",
        "https://exa mple.org",
        "https://me@example.org/",
        "https://example.org:8443/",
        "https://example.org//docs",
        "https://example.org/docs.",
        "https://example.org/docs#",
        "javascript:alert(1)",
        "htps://example.org",
    ],
)
def test_unsound_links_are_found(address: str) -> None:
    """What the test above looks for."""
    assert unsound(address)


def test_every_page_can_be_reached() -> None:
    """From the index, by links, a reader gets to every page of the documentation."""
    start = ROOT / "docs" / "index.md"
    seen, waiting = {start}, [start]
    while waiting:
        page = waiting.pop()
        for link in LINK.finditer(page.read_text("utf-8")):
            file = (page.parent / link["target"].partition("#")[0]).resolve()
            if file.suffix == ".md" and file.is_file() and file not in seen:
                seen.add(file)
                waiting.append(file)
    assert {short(page) for page in PAGES if page.is_relative_to(ROOT / "docs")} - set(map(short, seen)) == set()


def test_make_targets_that_are_spoken_of_exist() -> None:
    """`make something` in the documentation is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    spoken = {
        (short(page), word)
        for page in PAGES
        for word in re.findall(r"`(?:\$ )?make ([a-z-]+)", page.read_text("utf-8"))
    }
    assert {pair for pair in spoken if pair[1] not in targets} == set()


def test_settings_that_are_spoken_of_exist() -> None:
    """A `STREAMHOST_…` variable in the documentation is a setting, or is listed among the others. Examples of plugins
    bring their own, which only their own pages speak of."""
    known = {field.variable for field in (*config.fields(), *plugin_settings())} | set(config.OTHER_VARIABLES)
    known |= {name + "_FILE" for name in known}
    spoken = {
        (short(page), word)
        for page in PAGES
        for word in re.findall(r"STREAMHOST_[A-Z0-9_]*[A-Z0-9]", page.read_text("utf-8"))
        if not (short(page).startswith(ABOUT_EXAMPLES) and word.startswith("STREAMHOST_PLUGINS_"))
    }
    assert {pair for pair in spoken if pair[1] not in known} == set()
