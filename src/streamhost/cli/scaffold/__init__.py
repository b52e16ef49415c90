"""Writes the package of a new plugin: real files beside this one, with names put in."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from streamhost.model.errors import Conflict, InvalidInput
from streamhost.plugins.finding import NAME, RESERVED

KINDS: Mapping[str, str] = {
    "cdn": "delivers from places near to viewers",
    "classifier": "looks at what is uploaded, beside the models",
    "events": "hears of what happens, with a setting, a command and work in the background",
    "gate": "is asked before something is done, and has a route",
    "keys": "brings the keys of protected videos",
    "notifier": "tells people what has happened",
    "recommender": "proposes videos, beside the sources that are there",
    "storage": "keeps media",
}
"""What a new plugin can be, and what it is."""
NEEDS: Mapping[str, str] = {"keys": ', "httpx"', "notifier": ', "httpx"'}
"""What its package depends on besides streamhost."""
SUFFIX = ".txt"
"""Of files that others must not take for parts of streamhost: left out in the package."""


class PlaceTaken(Conflict):
    """There is something in that directory already."""

    code = "place_taken"
    permanent = True
    hint = "Name another one with --directory."


def write(name: str, kind: str, directory: Path | None = None) -> Path:
    """Write a package for the plugin `name`; where it is. Raises `InvalidInput`, `PlaceTaken`."""
    if not NAME.fullmatch(name) or name in RESERVED:
        raise InvalidInput(
            fields={"name": "Lower-case letters, digits and hyphens, beginning with a letter; at most 32."}
        )
    place = directory or Path(f"streamhost-{name}")
    if place.exists() and any(place.iterdir()):
        raise PlaceTaken(str(place))
    module = f"streamhost_{name.replace('-', '_')}"
    words = {
        "@name@": name,
        "@module@": module,
        "@Name@": "".join(part.capitalize() for part in name.split("-")),
        "@VARIABLE@": f"STREAMHOST_PLUGINS_{name.replace('-', '_').upper()}",
        "@what@": KINDS[kind],
        "@needs@": NEEDS.get(kind, ""),
    }
    for part in ("common", kind):
        _write(resources.files(__name__) / part, place, words)
    return place


def _write(source: Traversable, target: Path, words: Mapping[str, str]) -> None:
    for item in source.iterdir():
        path = target / _named(item.name, words)
        if item.is_dir():
            _write(item, path, words)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(_named(item.read_text("utf-8"), words), "utf-8")


def _named(text: str, words: Mapping[str, str]) -> str:
    for mark, word in words.items():
        text = text.replace(mark, word)
    return text.removesuffix(SUFFIX)
