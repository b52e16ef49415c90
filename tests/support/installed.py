"""Plugins of this repository as if they were installed, for servers of tests: no package is built or put anywhere."""

from __future__ import annotations

import importlib
import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from streamhost.config.described import Field, fields_of

ROOT = Path(__file__).parents[2]


def plugin_settings() -> Iterator[Field]:
    """What can be set for the plugins of this repository."""
    for file in sorted((ROOT / "plugins").glob("*/pyproject.toml")):
        for name, target in tomllib.loads(file.read_text("utf-8"))["project"]["entry-points"]["streamhost"].items():
            module, _, thing = target.partition(":")
            found: Any = importlib.import_module(module)
            hooks = getattr(found, thing) if thing else found
            if hasattr(hooks, "register_settings"):
                yield from fields_of(f"plugins.{name}", hooks.register_settings())


def plugin_path(place: Path, *names: str) -> str:
    """A `PYTHONPATH` by which Python finds these folders of `plugins/`, with their entry points.

    What an installer would write about each package (core metadata, PEP 376) is laid into `place`."""
    paths = [str(place)]
    for name in names:
        folder = ROOT / "plugins" / name
        _lay(place, tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["project"])
        paths.append(str(folder / "src"))
    return os.pathsep.join(paths)


def write_plugin(place: Path, name: str, summary: str, source: str) -> None:
    """Lay a plugin of one module into a `place` from which Python imports, with what it is said to be."""
    points = {"streamhost": {name: f"streamhost_{name}"}}
    _lay(place, {"name": f"streamhost-{name}", "version": "0.1", "description": summary, "entry-points": points})
    (place / f"streamhost_{name}.py").write_text(source)


def _lay(place: Path, project: Mapping[str, Any]) -> None:
    info = place / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir(parents=True, exist_ok=True)
    metadata = f"Metadata-Version: 2.3\nName: {project['name']}\nVersion: {project['version']}\n"
    (info / "METADATA").write_text(f"{metadata}Summary: {project['description']}\n")
    points = "".join(f"{key} = {value}\n" for key, value in project["entry-points"]["streamhost"].items())
    (info / "entry_points.txt").write_text(f"[streamhost]\n{points}")
