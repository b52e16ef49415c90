"""What `streamhost doctor` takes for a fault of the proxy or of the server, and what for a moment of a busy machine."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from streamhost.cli.doctor import site
from streamhost.cli.doctor.asking import Answer, Site
from streamhost.cli.doctor.lines import Case, Level
from streamhost.config import Settings

ADDRESS = "http://127.0.0.1:8000"
WELL, STALLED = (json.dumps({"parts": {"storage": word}}).encode() for word in ("ok", "It has not answered."))
AS_SENT, AT_ONCE = (0.1, 0.4, 0.7), (0.7, 0.7, 0.7)
"""Moments at which three events came."""


@pytest.mark.parametrize(
    ("came", "level"), [([AT_ONCE, AS_SENT], Level.OK), ([AS_SENT], Level.OK), ([AT_ONCE] * site.LOOKS, Level.FAIL)]
)
def test_a_proxy_that_keeps_events_back_does_so_each_time(
    monkeypatch: pytest.MonkeyPatch, came: list[tuple[float, ...]], level: Level
) -> None:
    """Whoever reads late on a busy machine looks again; as soon as events come as they happen, that is known."""
    looks = iter(came)

    def lines(_site: Site, _path: str, _headers: Mapping[str, str]) -> Iterator[tuple[float, str]]:
        for number, moment in enumerate(next(looks)):
            seen = {"after": 0.3 * number, "host": "", "scheme": "", "address": "", "hops": {"x-forwarded-for": 1}}
            yield moment, f"data: {json.dumps(seen)}"

    monkeypatch.setattr(Site, "lines", lines)
    settings = Settings(Path()).server
    found = {line.name: line.level for line in site._events(Site(ADDRESS, "127.0.0.1", is_own=True), settings)}
    assert (found["events"], list(looks)) == (level, [])


@pytest.mark.parametrize(
    ("answers", "levels"),
    [([STALLED, WELL], {"server": Level.OK}), ([STALLED] * site.LOOKS, {"server storage": Level.FAIL})],
)
async def test_a_disk_that_stalls_for_a_moment_is_no_fault(
    monkeypatch: pytest.MonkeyPatch, answers: list[bytes], levels: dict[str, Level]
) -> None:
    """A server that does not feel well is asked again; what stays wrong is told."""
    given = iter(answers)
    monkeypatch.setattr(Site, "ask", lambda _site, _path: Answer(200, {}, next(given)))
    case = Case(Settings(Path()), None, ADDRESS, False, "")
    assert {line.name: line.level async for line in site.server(case)} == levels
    assert list(given) == []
