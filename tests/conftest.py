"""Fixtures for every test: the real server, and the cast."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.support.processes import count_from_now
from tests.support.server import RunningServer

settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")
"""A slow machine is no reason for a property to fail: how long examples take says nothing about it."""

# As in the Makefile, for whoever starts pytest alone: processes of tests keep what they have compiled.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell starts what it runs in the background like this; programs that tests interrupt would inherit it.
    signal.signal(signal.SIGINT, signal.default_int_handler)


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
