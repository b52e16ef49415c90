"""What plays, by what it calls itself: a kind of device, or a robot that is not to be counted.

Robots are told by the list `crawler-user-agents`, which gathers what crawlers call themselves and appears anew every
month. Two of its kinds are left out: libraries for HTTP and steered browsers. What reports playback through a library
is an application that somebody has written for this, and what plays in a steered browser plays.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import re
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path

from streamhost import log
from streamhost.model.playbacks import Device

PACKAGE, LIST = "crawleruseragents", "crawler-user-agents.json"
NOT_ROBOTS = frozenset({"http-library", "browser-automation"})
TOGETHER = 25
"""Patterns in one expression: with all in one, looking takes longer (the package's own choice)."""
REMEMBERED = 2_000
"""Names whose answer is kept, about half a megabyte."""
LONGEST_NAME = 512

_TV = re.compile(
    r"SmartTV|SMART-TV|Tizen|Web0S|WebOS|Apple ?TV|tvOS|GoogleTV|Android TV|BRAVIA|AFT[A-Z]|CrKey|Roku|HbbTV"
)
_TABLET = re.compile(r"iPad|Tablet|PlayBook|Silk/(?!.*Mobile)|Android(?!.*Mobile)")
_PHONE = re.compile(r"iPhone|iPod|Mobile|Windows Phone")
_DESKTOP = re.compile(r"Windows NT|Macintosh|X11|Linux|CrOS")
_KINDS = ((Device.TV, _TV), (Device.TABLET, _TABLET), (Device.PHONE, _PHONE), (Device.DESKTOP, _DESKTOP))
"""The first that fits counts."""

_logger = log.get("analytics")


def device_of(agent: str) -> Device:
    """The kind of device that a `User-Agent` speaks of."""
    return next((device for device, marks in _KINDS if marks.search(agent)), Device.OTHER)


class Robots:
    """Knows robots by their names. The list is read when it is first needed, by a thread."""

    def __init__(self) -> None:
        self._patterns: list[re.Pattern[str]] | None = None
        self._known: OrderedDict[str, bool] = OrderedDict()
        self._reading = asyncio.Lock()

    async def include(self, agent: str) -> bool:
        """Whether what calls itself so is a robot."""
        agent = agent[:LONGEST_NAME]
        known = self._known.get(agent)
        if known is not None:
            return known
        if self._patterns is None:
            async with self._reading:
                if self._patterns is None:
                    self._patterns = await asyncio.to_thread(_read)
        found = any(pattern.search(agent) for pattern in self._patterns)
        self._known[agent] = found
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return found


def _read() -> list[re.Pattern[str]]:
    """The patterns of the list. It is read as a file: importing the package would read it at every start."""
    found = importlib.util.find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        _logger.warning("The list of robots is missing: all are counted", action="robots_unknown")
        return []
    entries = json.loads((Path(found.submodule_search_locations[0]) / LIST).read_text("utf-8"))
    wanted = [entry["pattern"] for entry in entries if _is_robot(entry)]
    return [re.compile("|".join(wanted[at : at + TOGETHER])) for at in range(0, len(wanted), TOGETHER)]


def _is_robot(entry: Mapping[str, object]) -> bool:
    tags = entry.get("tags")
    return not isinstance(tags, list) or not tags or not NOT_ROBOTS.issuperset(tags)
