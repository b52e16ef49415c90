"""The process that asks the trained model, and files that change under it."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamhost.ml.recommending import serving


async def test_a_model_that_is_replaced_while_it_is_read_is_read_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What fails because another one took its place is no reason to rest; what fails again is."""
    model, fresh = tmp_path / "model.onnx", tmp_path / "fresh"
    model.write_bytes(b"old")
    read = []

    async def begin(path: Path) -> None:
        read.append(path.read_bytes())
        if len(read) == 1:
            fresh.write_bytes(b"newer")
            fresh.replace(model)
        raise serving._Gone("It cannot be read.")

    monkeypatch.setattr(serving._Process, "begin", begin)
    server = serving.ModelServer(model, lambda: None)
    assert not await server.ready()
    assert not await server.ready()
    assert read == [b"old", b"newer"]
