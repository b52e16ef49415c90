"""kill -9 at any moment of an upload: no acknowledged byte is lost, none is doubled."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.server import RunningServer, until
from tests.support.tree import rows, sizes
from tests.support.tus import Line, append, begin, content, status

SIZE = 8_000_000

STEP = st.one_of(
    st.tuples(st.just("append"), st.integers(1, 3_000_000)),
    st.tuples(st.just("cut"), st.integers(1, 3_000_000)),
    st.tuples(st.just("kill in mid-request"), st.integers(1, 3_000_000)),
    st.tuples(st.just("kill after answer"), st.integers(1, 1_000_000)),
)


@pytest.fixture(scope="module")
def victim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server that is killed again and again."""
    running = RunningServer(tmp_path_factory.mktemp("victim") / "data").start()
    running.add_user("alice@example.org")
    yield running
    running.stop()


def writes(server: RunningServer, address: str) -> bool:
    """Whether a request has begun to add to an upload: the server has its file open."""
    spooled = str(server.data / "uploads" / address.rpartition("/")[2])
    return any(file.path == spooled for file in psutil.Process(server.process.pid).open_files())


def checked_offset(server: RunningServer, address: str, at_least: int, at_most: int) -> int:
    """What HEAD says: never less than was acknowledged, never more than was sent or is on the disk."""
    answer = status(server.client("alice@example.org"), address)
    assert answer.status_code == 200
    offset = int(answer.headers["upload-offset"])
    assert at_least <= offset <= at_most
    if offset < SIZE:
        spooled = server.data / "uploads" / address.rpartition("/")[2]
        assert offset == 0 or spooled.stat().st_size >= offset
    return offset


@pytest.mark.slow
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(STEP, min_size=1, max_size=5), st.integers(0, 1_000_000))
def test_random_breaks_and_kills(victim: RunningServer, steps: list[tuple[str, int]], seed: int) -> None:
    """Whole requests, broken ones, kills in the middle and after the answer, in any order: the file is the file."""
    data = content(SIZE, seed)
    alice = victim.client("alice@example.org")
    address = begin(alice, SIZE)
    offset = 0
    for step, amount in steps:
        piece = data[offset : offset + min(amount, SIZE - 1 - offset)]
        if step in ("append", "kill after answer"):
            answer = append(alice, address, offset, piece)
            assert answer.headers["upload-offset"] == str(offset + len(piece))
            if step == "kill after answer":
                victim.kill()
                victim.restart()
            offset = checked_offset(victim, address, offset + len(piece), offset + len(piece))
        else:
            line = Line(alice).patch(address, offset, SIZE - offset).send(piece)
            until(lambda: writes(victim, address))  # else what asks next might come before it
            if step == "cut":
                line.cut()
            else:
                victim.kill()
                victim.restart()
            offset = checked_offset(victim, address, offset, offset + len(piece))
    done = append(alice, address, offset, data[offset:])
    [row] = rows(
        victim.data,
        "SELECT source_key, source_sha256 FROM videos WHERE id = ?",
        done.headers["streamhost-video"],
    )
    assert row["source_sha256"] == hashlib.sha256(data).hexdigest()
    assert hashlib.sha256((victim.data / "media" / row["source_key"]).read_bytes()).hexdigest() == row["source_sha256"]


def test_a_server_that_is_asked_to_stop_lets_go(tmp_path: Path) -> None:
    """SIGTERM in mid-upload: the request is answered, every byte that arrived counts, and nobody waits for the rest."""
    server = RunningServer(tmp_path / "data", STREAMHOST_SERVER_SHUTDOWN_SECONDS="600").start()
    server.add_user("alice@example.org")
    alice = server.client("alice@example.org")
    data = content(3_000_000)
    address = begin(alice, len(data))
    line = Line(alice).patch(address, 0, len(data)).send(data[:2_000_000])
    line.taken(server.data, address, 2_000_000)
    assert server.stop() == 0
    assert b" 409 " in line.answer().split(b"\r\n")[0]
    server.restart()
    checked = status(alice, address)
    assert checked.headers["upload-offset"] == "2000000"
    assert append(alice, address, 2_000_000, data[2_000_000:]).headers["streamhost-video"]
    server.stop()


@pytest.mark.parametrize("delay", [0.0, 0.002, 0.005, 0.01, 0.02, 0.04])
def test_killed_around_the_last_byte(victim: RunningServer, delay: float) -> None:
    """Killed while the file becomes a video: after the restart there is one, or the rest is sent and then there is."""
    data = content(2_000_000, seed=int(delay * 1000))
    alice = victim.client("alice@example.org")
    address = begin(alice, len(data))
    Line(alice).patch(address, 0, len(data)).send(data)
    time.sleep(delay)
    victim.kill()
    victim.restart()
    answer = status(alice, address)
    offset = int(answer.headers["upload-offset"])
    if offset < len(data):
        answer = append(alice, address, offset, data[offset:])
    video = answer.headers["streamhost-video"]
    again = status(alice, address)
    assert again.headers["streamhost-video"] == video
    upload = address.rpartition("/")[2]
    [row] = rows(victim.data, "SELECT source_key, source_sha256 FROM videos WHERE id = ?", video)
    assert row["source_sha256"] == hashlib.sha256(data).hexdigest()
    media = victim.data / "media"
    found = [name for name, size in sizes(media).items() if "/source/" in name and size == len(data)]
    digests = [hashlib.sha256((media / name).read_bytes()).hexdigest() for name in found]
    assert digests.count(row["source_sha256"]) == 1
    assert not (victim.data / "uploads" / upload).exists()
    assert (
        len(rows(victim.data, "SELECT id FROM jobs WHERE subject = ? AND kind = 'probe_source'", f"video:{video}")) == 1
    )
