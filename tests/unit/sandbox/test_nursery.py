"""What forks children loads once for all of them, and what it has compiled for that it keeps."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from streamhost import sandbox
from streamhost.sandbox_nursery import Nursery

HERE = Path(__file__).parent


@pytest.mark.parametrize("kept", [True, False])
async def test_what_was_compiled_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: bool) -> None:
    """What it loads is compiled once, not at each start, unless this Python was told to keep nothing."""
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    (shelf / "a_book.py").write_text("")
    monkeypatch.syspath_prepend(shelf)
    monkeypatch.setattr(sys, "dont_write_bytecode", not kept)
    nursery = Nursery(["a_book"])
    request, limits = {"trick": "answer", "word": "read"}, sandbox.Limits(silence_seconds=150.0)
    told = await sandbox.run(
        "children", request, limits=limits, on_message=lambda _: None, readable=[HERE], start=nursery.start
    )
    await nursery.close()
    assert told["echo"] == "read"
    assert (shelf / "__pycache__").exists() is kept
