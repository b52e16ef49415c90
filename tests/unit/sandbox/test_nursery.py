"""What forks children loads once for all of them, and what it has compiled for that it keeps."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from streamhost import sandbox
from streamhost.sandbox_nursery import Nursery

BOOK = """
def main():
    print('{"result": {"read": true}}')
"""


@pytest.mark.parametrize("kept", [True, False])
async def test_what_was_compiled_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: bool) -> None:
    """What it loads is compiled once, not at each start, unless this Python was told to keep nothing."""
    (tmp_path / "a_book.py").write_text(BOOK)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", not kept)
    nursery = Nursery(["a_book"])
    limits = sandbox.Limits(silence_seconds=150.0)
    told = await sandbox.run("a_book", {}, limits=limits, on_message=lambda _: None, start=nursery.start)
    await nursery.close()
    assert told == {"read": True}
    assert (tmp_path / "__pycache__").exists() is kept
