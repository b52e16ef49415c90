"""Readiness: which part fails, and why."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamhost.config import Settings
from streamhost.features import health
from streamhost.host import assemble
from streamhost.instance import open_instance


class Moment:
    """A clock that stands until it is moved."""

    now = 1_800_000_000.0

    def __call__(self) -> float:
        """Now."""
        return self.now


async def test_every_part_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All well; then the worker stops, the storage is taken away, the catalog is closed: each is named."""
    monkeypatch.setattr(health, "PATIENCE", 150.0)  # a busy disk is no failure here
    clock = Moment()
    host = await assemble(Settings(data=tmp_path), open_instance(tmp_path), clock)
    await host.start()
    assert await host.health.report() == {"catalog": None, "storage": None, "worker": None}
    await host.stop(150)
    media = tmp_path / "media"
    media.rename(tmp_path / "away")
    media.write_text("in the way")
    clock.now += 5
    assert (await host.health.report())["storage"] is None, "it is not written to at every look"
    clock.now += 30
    report = await host.health.report()
    assert report["catalog"] is None
    assert report["worker"] is not None
    assert report["storage"] is not None
    await host.close()
    assert (await host.health.report())["catalog"] is not None
