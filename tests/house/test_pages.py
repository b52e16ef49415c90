"""Every page is looked at, and none weighs too much."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, meta
from litestar import Router
from litestar.config.app import AppConfig

from streamhost.config import load
from streamhost.model.branding import Brand
from streamhost.model.clock import system_clock
from streamhost.model.ids import UserId
from streamhost.server.assets import Assets
from streamhost.server.pages import Pages
from tests.browser.pages import ELSEWHERE, FOLDER, PAGES, TEMPLATES, template_of
from tests.house.tree import ROOT, parsed, python_files, short

DIST = ROOT / "web" / "dist"
HEAVIEST = 100_000
"""Bytes of own scripts and styles that a page may load, packed by gzip; the player's engine is not counted."""


async def _none_unread(_user: UserId) -> int:
    return 0


def page_routes(folder: Path) -> set[str]:
    """The paths of all pages, as the application has them."""
    pages = Pages(load(folder, {}), Brand("Kino"), Assets(ROOT / "web"), system_clock, _none_unread)
    found: set[str] = set()
    for given in pages.on_app_init(AppConfig()).route_handlers:
        paths = given.route_handler_method_map if isinstance(given, Router) else {}
        found |= {re.sub(r":\w+}", "}", path) for path, by_method in paths.items() if "GET" in by_method}
    return found


def test_every_page_is_looked_at(tmp_path: Path) -> None:
    """`tests/browser/pages.py` has a line for each route that shows a page, and none for one that is gone."""
    routes = page_routes(tmp_path)
    assert len(routes) > 40
    assert routes ^ (set(PAGES) - {"/{anywhere}"} | set(ELSEWHERE)) == set()
    names = [view.name for views in PAGES.values() for view in views]
    assert len(names) == len(set(names)), "pictures would overwrite each other"


def looks() -> Iterator[tuple[str, ast.FunctionDef, list[str]]]:
    """The tests that look at pages: where each stands, and the names of those looks that it says itself."""
    for path in python_files("tests/browser"):
        for test in (node for node in parsed(path).body if isinstance(node, ast.FunctionDef)):
            calls = [node for node in ast.walk(test) if isinstance(node, ast.Call) and ast.unparse(node.func) == "look"]
            if calls and test.name.startswith("test_"):
                said = [ast.literal_eval(call.args[1]) for call in calls if isinstance(call.args[1], ast.Constant)]
                yield f"{short(path)}: {test.name}", test, said


def test_every_template_is_looked_at() -> None:
    """Each template of a page is what some look shows, by its address or after what a test does; that a page is the one
    which its look names is asserted there. `make screenshots` runs all tests that look."""
    names = {view.name for views in PAGES.values() for view in views}
    names |= {name for _, _, said in looks() for name in said}
    assert len(TEMPLATES) > 50
    assert {template_of(name) for name in names} ^ TEMPLATES == set()
    unmarked = [place for place, test, _ in looks() if "pytest.mark.looks" not in map(ast.unparse, test.decorator_list)]
    assert unmarked == []


def test_every_template_can_be_read() -> None:
    """Each is whole: what it opens it ends, and what it is made of is there."""
    templates = Environment(loader=FileSystemLoader(FOLDER), autoescape=True)
    for name in templates.list_templates():
        source = (FOLDER / name).read_text("utf-8")
        missing = set(meta.find_referenced_templates(templates.parse(source))) - set(templates.list_templates())
        assert missing == set(), name


def weight(manifest: dict[str, Any], keys: set[str]) -> int:
    """Bytes of scripts and styles of entries with what they import, packed."""
    todo, files = list(keys), set()
    seen: set[str] = set()
    while todo:
        key = todo.pop()
        if key in seen:
            continue
        seen.add(key)
        chunk = manifest[key]
        files |= {chunk["file"], *chunk.get("css", ())}
        todo += chunk.get("imports", ())
    return sum((DIST / f"{name}.gz").stat().st_size for name in files if (DIST / f"{name}.gz").exists())


def test_no_page_is_heavy() -> None:
    """What all pages load and what one of them adds stays below 100 kB, without the engine that plays."""
    manifest = json.loads((DIST / ".vite" / "manifest.json").read_text("utf-8"))
    entries = {key for key, chunk in manifest.items() if chunk.get("isEntry") and key.startswith("src/")}
    assert len(entries) > 5
    weights = {entry: weight(manifest, {"src/main.ts", entry}) for entry in entries}
    assert weights["src/watch.ts"] > weights["src/main.ts"] > 5_000, "something was not found"
    assert {entry: size for entry, size in weights.items() if size > HEAVIEST} == {}
