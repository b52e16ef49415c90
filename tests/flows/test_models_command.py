"""`streamhost models`, as somebody types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result

from tests.support import models as real
from tests.support import onnx_models
from tests.support.command import run

KNOWN = ["image-safety-classifier-s", "open-nsfw", "toxicity-en"]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory in which no server has ever run."""
    return tmp_path / "data"


def models(data: Path, *words: object) -> Result:
    """Run a command."""
    return run("models", *map(str, words), "--data", str(data))


def listed(data: Path) -> dict[str, str]:
    """Each model's state, by the command."""
    said = models(data, "list", "--json")
    assert said.exit_code == 0, said.output
    return {one["id"]: one["state"] for one in json.loads(said.stdout)["models"]}


def test_from_nothing_to_working(data: Path) -> None:
    """Models are listed as missing, installed from a folder, verified by running them, and removed."""
    assert listed(data) == dict(zip(KNOWN, ["not_installed", "not_installed", "installed"], strict=True))
    said = models(data, "list")
    assert "fights, gore, nudity, weapons" in said.output
    assert "not installed" in said.output
    done = models(data, "install", "--from", real.real_models(), "--json")
    assert done.exit_code == 0, done.output
    assert [(one["id"], one["fresh"]) for one in json.loads(done.stdout)["models"]] == [(n, True) for n in KNOWN[:2]]
    assert "was there already" in models(data, "install", "open-nsfw").output
    checked = models(data, "verify", "--json")
    assert checked.exit_code == 0, checked.output
    assert [(one["id"], one["works"]) for one in json.loads(checked.stdout)["models"]] == [(n, True) for n in KNOWN]
    assert models(data, "remove", "open-nsfw").exit_code == 0
    assert listed(data)["open-nsfw"] == "not_installed"


def test_what_does_not_work_is_told(data: Path) -> None:
    """A changed file, a missing model, a wrong description: exit code 1, and which and why."""
    folder = data / "models"
    folder.mkdir(parents=True)
    content = onnx_models.not_numbers(folder / "odd.onnx")
    (folder / "odd.toml").write_text(onnx_models.manifest("odd", content, labels=["a", "b", "c"], aspect="fights"))
    (folder / "wrong.toml").write_text("id = 5")
    (folder / "open-nsfw.onnx").write_bytes(b"something else")
    assert listed(data)["open-nsfw"] == "broken"
    assert "wrong.toml" in models(data, "list").output
    said = models(data, "verify", "--json")
    assert said.exit_code == 1
    results = {one["id"]: one for one in json.loads(said.stdout)["models"]}
    assert results["toxicity-en"]["works"]
    assert (results["open-nsfw"]["code"], results["odd"]["code"]) == ("model_broken", "model_broken")
    assert models(data, "verify", "image-safety-classifier-s").exit_code == 1
    assert "does not work" in models(data, "verify", "odd").output
    assert models(data, "verify", "no-such-model").exit_code == 1


def test_what_cannot_be_installed_is_told(data: Path, tmp_path: Path) -> None:
    """The wrong file is refused with what it should have been; the program's own model is not touched."""
    (tmp_path / "x.onnx").write_bytes(b"x")
    said = models(data, "install", "open-nsfw", "--from", tmp_path / "x.onnx")
    assert said.exit_code == 1
    assert "864bb37b" in said.output
    assert listed(data)["open-nsfw"] == "not_installed"
    assert models(data, "remove", "toxicity-en").exit_code == 1
    assert models(data, "install", "open-nsfw", "--from", tmp_path / "nowhere").exit_code == 2
