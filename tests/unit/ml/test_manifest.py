"""Descriptions of models: what is right is read, what is wrong is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamhost.ml import manifest
from streamhost.ml.registry import KNOWN
from streamhost.model.moderation import Aspect
from tests.support import onnx_models

GOOD = onnx_models.manifest("mine", b"content", labels=["red", "blue"], aspect="gore")


@pytest.mark.parametrize("path", sorted(KNOWN.glob("*.toml")), ids=lambda path: str(path.stem))
def test_known_models_are_described_fully(path: Path) -> None:
    """Each known model says where it comes from, under what licence, and what it cannot do."""
    found = manifest.read(path)
    assert found.id == path.stem
    assert found.author
    assert found.licence
    assert found.weaknesses
    assert found.source is not None or (path.parent / found.file).exists()
    assert all(0 < count.medium < count.high < 1 for count in found.counts)


def test_one_of_ones_own() -> None:
    """A description of somebody's own model is read."""
    found = manifest.parse(GOOD.encode(), "mine.toml")
    assert found.aspects == {Aspect.GORE}
    assert found.picture is not None
    assert found.picture.fit == "squash"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('aspect = "gore"', 'aspect = "smoking"', "smoking"),
        ('aspect = "gore"', 'aspect = "toxicity"', "a model of pictures cannot count for toxicity"),
        ('label = "red"', 'label = "green"', "the label 'green'"),
        ("medium = 0.5", "medium = 0.95", "medium is above high"),
        ("medium = 0.5", "medium = 5", "counts[0].medium"),
        ("width = 16", "width = 4", "picture.width"),
        ("width = 16", "width = 16\nheigth = 16", "heigth"),
        ("width = 16", 'width = 16\nfit = "crop"', "resize"),
        ("width = 16", 'width = 16\nfit = "crop"\nresize = 8', "resize"),
        ("width = 16", "width = 16\nstd = [0.0, 1.0, 1.0]", "std"),
        ("[picture]", "[text]", "text"),
        ('"red", "blue"', '"red", "red"', "twice"),
        ('id = "mine"', 'id = "../mine"', "id"),
        ('file = "mine.onnx"', 'file = "../../mine.onnx"', "file"),
        ('file = "mine.onnx"', 'file = "mine.pkl"', "file"),
        ("size = 7", "size = 99999999999", "size"),
        ('sha256 = "', 'sha256 = "x', "sha256"),
        ("[output]", "[output", "is not TOML"),
    ],
)
def test_what_is_wrong_is_named(old: str, new: str, said: str) -> None:
    """A mistake is refused in words that name the file and the place."""
    assert old in GOOD
    with pytest.raises(manifest.InvalidManifest) as failure:
        manifest.parse(GOOD.replace(old, new).encode(), "mine.toml")
    assert failure.value.detail.startswith("mine.toml")
    assert said in failure.value.detail


def test_a_huge_description_is_not_read(tmp_path: Path) -> None:
    """What is longer than any description is refused before it is parsed."""
    path = tmp_path / "mine.toml"
    path.write_text(GOOD + "#" * manifest.LARGEST_MANIFEST)
    with pytest.raises(manifest.InvalidManifest, match="longer"):
        manifest.read(path)
