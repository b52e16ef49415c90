"""Fixtures for every test: the real server, and the cast."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from httpx._config import DEFAULT_TIMEOUT_CONFIG
from hypothesis import HealthCheck, settings

from tests.support.processes import count_from_now
from tests.support.server import RunningServer

settings.register_profile("chance", derandomize=False, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("same", settings.get_profile("chance"), derandomize=True, database=None)
settings.load_profile("same")
"""How long examples take says nothing about a property. Which ones are tried is the same every time, so that nobody is
held up by what they have not touched; `make soak` tries others (`--hypothesis-profile chance`)."""

for step in ("connect", "read", "write", "pool"):
    # As a slow answer says nothing about a server that five tests share a processor with.
    setattr(DEFAULT_TIMEOUT_CONFIG, step, 60.0)

logging.getLogger("httpx").setLevel(logging.WARNING)
"""A test that waits in vain has asked thousands of times, which nobody wants to read before its reason."""

# As in the Makefile, for whoever starts pytest alone: processes of tests keep what they have compiled.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell starts what it runs in the background like this; programs that tests interrupt would inherit it.
    signal.signal(signal.SIGINT, signal.default_int_handler)


WAITING = frozenset({"browser", "crash", "flows", "plugins", "contracts"})
"""Folders whose tests mostly wait, for servers, browsers and jobs; those of all others compute."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give out files in an order that keeps every processor busy: one that waits, one that computes, in turns, from
    slow ones to quick ones, so that nobody is left alone with a slow one in the end."""
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)

    def slow(file: Path) -> int:
        return sum(item.get_closest_marker("slow") is not None for item in files[file])

    turns: dict[bool, list[Path]] = {True: [], False: []}
    for file in sorted(files, key=slow, reverse=True):
        turns[not WAITING.isdisjoint(file.relative_to(config.rootpath).parts[:2])].append(file)
    places = {file: (place + 0.5) / len(group) for group in turns.values() for place, file in enumerate(group)}
    items[:] = [item for file in sorted(files, key=lambda one: places[one]) for item in files[file]]


@pytest.fixture
def from_now() -> None:
    """`tests.support.processes.started` tells what this test has started."""
    count_from_now()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    """A fresh instance: a real server process on a free port, without any account."""
    running = RunningServer(tmp_path / "data").start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """One instance for a whole module, with the cast: alice uploads, bob watches, root administers."""
    running = RunningServer(tmp_path_factory.mktemp("site") / "data").start()
    running.add_user("root@example.org", "admin")
    running.add_user("alice@example.org", "creator")
    running.add_user("bob@example.org", "viewer")
    yield running
    running.stop()
