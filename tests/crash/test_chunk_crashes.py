"""A media process that is killed costs its chunk and nothing else; several workers share one video."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.support.clips import encoded_clip
from tests.support.server import RunningServer
from tests.support.tree import rows

pytestmark = pytest.mark.slow
PATIENCE = 240.0
CHUNKS = "SELECT json_extract(payload, '$.part') AS part, state, attempts, worker FROM jobs WHERE kind = 'make_part' "


def chunks(data: Path) -> dict[str, tuple[str, int]]:
    """State and attempts of every chunk's job, by the part's name."""
    found = rows(data, CHUNKS + "AND json_extract(payload, '$.part') LIKE 'chunk-%'")
    return {row["part"]: (row["state"], row["attempts"]) for row in found}


def test_a_killed_process_costs_one_chunk(tmp_path: Path) -> None:
    """Two chunks run at once, on two workers; one process is killed: that chunk runs twice, every other part once."""
    server = RunningServer(tmp_path / "data", STREAMHOST_JOBS_MEDIA_WORKERS="2").start()
    try:
        server.add_user("alice@example.org")
        api = server.client("alice@example.org")
        video = api.upload(encoded_clip())
        deadline = time.monotonic() + PATIENCE
        # Sound has workers of its own, so a third process may be there.
        while len(children := server.media_children("chunk")) < 2:
            for child in children:
                child.suspend()  # so that it is still there when the other one has begun
            assert time.monotonic() < deadline, f"no two chunks ran:\n{server.output}"
            time.sleep(0.005)
        children[0].kill()
        children[1].resume()
        api.wait_until(video, "ready")
        assert sorted(attempts for _, attempts in chunks(server.data).values())[-1] == 2
        assert sum(attempts for _, attempts in chunks(server.data).values()) == len(chunks(server.data)) + 1
        others = rows(server.data, CHUNKS + "AND json_extract(payload, '$.part') NOT LIKE 'chunk-%'")
        assert {row["attempts"] for row in others} == {1}
    finally:
        server.stop()
