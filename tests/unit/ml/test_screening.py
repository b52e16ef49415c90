"""Screening in a child: what works is scored, what does not is a gap with a reason, and the server stays well."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from streamhost import sandbox
from streamhost.ml import run
from streamhost.ml.combined import CombinedClassifier
from streamhost.ml.registry import Registry
from streamhost.ml.run import OnnxClassifier
from streamhost.ml.work import Rules
from streamhost.model.moderation import Aspect, Findings, Frame, Gap, Material, Text, TextSource
from streamhost.ports import ClassifierUnavailable, ModelBroken
from tests.support import onnx_models, stills
from tests.support.processes import started

LIMITS = sandbox.Limits(memory=2048 * sandbox.MIB, silence_seconds=300.0, nice=0)
"""So that what ends a model is what is the matter with it, and never that others have the processor."""
IMPATIENT = replace(LIMITS, cpu_seconds=5)
RED = (4.0, (250, 0, 0))
GREEN = (2.0, (0, 250, 0))


def unheard(_share: float) -> None:
    """Nobody wants to know how far it is."""


@pytest.fixture
def folder(tmp_path: Path, from_now: None) -> Path:
    """A models' folder with one good model: redness, which stands for gore."""
    folder = tmp_path / "models"
    folder.mkdir()
    add(folder, "redness", onnx_models.redness, "gore")
    return folder


@pytest.fixture
def frames(tmp_path: Path) -> tuple[Frame, ...]:
    """A red frame at 4 seconds, then a green one at 2."""
    return stills.pack(tmp_path / "frames.jpgs", [RED, GREEN])


def add(folder: Path, name: str, make: Callable[[Path], bytes], aspect: str, vote: str = "alone") -> bytes:
    """Put a model of tests there, with its description."""
    content = make(folder / f"{name}.onnx")
    labels = ["red", "blue"] if make is onnx_models.redness else ["bad", "b", "c"][: LABELS.get(make, 1)]
    (folder / f"{name}.toml").write_text(
        onnx_models.manifest(name, content, labels=labels, aspect=aspect, vote=vote), "utf-8"
    )
    return content


LABELS: dict[Callable[[Path], bytes], int] = {onnx_models.endless: 3, onnx_models.not_numbers: 3}


async def screen(folder: Path, material: Material, limits: sandbox.Limits = LIMITS) -> Findings:
    """Screen with the models of a folder alone."""
    registry = Registry(folder, known=folder / "none")
    found = await OnnxClassifier(registry, limits, Rules()).screen(material, unheard)
    assert started() == []
    return found


def gore(found: Findings) -> list[float]:
    """The scores of gore, in order of time."""
    return [round(score.sure, 1) for one in found.frames for score in one.scores if score.aspect is Aspect.GORE]


async def test_scores_in_order_of_time(folder: Path, frames: tuple[Frame, ...]) -> None:
    """Frames come back by time with their own scores, and the model that looked is named with its hash."""
    found = await screen(folder, Material(frames))
    assert [one.at for one in found.frames] == [2.0, 4.0]
    assert gore(found) == [0.0, 1.0]
    assert [use.id for use in found.models] == ["redness"]
    assert found.gaps == ()


async def test_agreement(folder: Path, frames: tuple[Frame, ...]) -> None:
    """Of models that agree the lowest is sure and the highest possible; one that stands alone is sure by itself."""
    add(folder, "first", onnx_models.redness, "nudity", vote="agree")
    content = onnx_models.redness(folder / "second.onnx")
    text = onnx_models.manifest("second", content, labels=["red", "blue"], aspect="nudity", vote="agree")
    (folder / "second.toml").write_text(text.replace('label = "red"', 'label = "blue"'))
    found = await screen(folder, Material(frames))
    [_, red] = found.frames
    [nudity, alone] = red.scores
    assert (nudity.aspect, round(nudity.sure, 1), round(nudity.possible, 1)) == (Aspect.NUDITY, 0.0, 1.0)
    assert (alone.aspect, round(alone.sure, 1), round(alone.possible, 1)) == (Aspect.GORE, 1.0, 1.0)


@pytest.mark.parametrize(
    ("make", "limits", "said"),
    [
        (onnx_models.hungry, LIMITS, ""),
        (onnx_models.endless, IMPATIENT, "processor time"),
        (onnx_models.not_numbers, LIMITS, "none"),
    ],
    ids=["needs too much memory", "never ends", "answers with no numbers"],
)
async def test_a_bad_model(
    folder: Path, frames: tuple[Frame, ...], make: Callable[[Path], bytes], limits: sandbox.Limits, said: str
) -> None:
    """A model that misbehaves is a gap with the reason; the others still look."""
    add(folder, "bad", make, "fights")
    found = await screen(folder, Material(frames), limits)
    [gap] = found.gaps
    assert (gap.aspect, gap.model, gap.code) == (Aspect.FIGHTS, "bad", "model_broken")
    assert said in gap.detail
    assert gap.detail
    assert gore(found) == [0.0, 1.0]


@pytest.mark.parametrize("harm", ["poisoned", "truncated", "no model at all", "gone"])
async def test_a_spoiled_file(folder: Path, frames: tuple[Frame, ...], harm: str) -> None:
    """A file that is not what was installed, no model, or not there is never run and is a gap."""
    content = add(folder, "bad", onnx_models.redness, "weapons")
    path = folder / "bad.onnx"
    if harm == "poisoned":
        path.write_bytes(content[:-10] + bytes(10))
    elif harm == "truncated":
        path.write_bytes(content[: len(content) // 2])
    elif harm == "no model at all":
        path.write_bytes(b"x" * 100)
        text = onnx_models.manifest("bad", b"x" * 100, labels=["red", "blue"], aspect="weapons")
        (folder / "bad.toml").write_text(text)
    else:
        path.unlink()
    found = await screen(folder, Material(frames))
    [gap] = found.gaps
    code = "model_missing" if harm == "gone" else "model_broken"
    assert (gap.aspect, gap.model, gap.code) == (Aspect.WEAPONS, "bad", code)
    assert gore(found) == [0.0, 1.0]


async def test_another_shape_than_described(folder: Path, frames: tuple[Frame, ...]) -> None:
    """A model whose input or output is not as described is broken, and says how."""
    text = (folder / "redness.toml").read_text()
    (folder / "redness.toml").write_text(text.replace('name = "image"', 'name = "picture"'))
    [gap] = (await screen(folder, Material(frames))).gaps
    assert "'picture'" in gap.detail
    (folder / "redness.toml").write_text(text.replace('"red", "blue"', '"red", "blue", "green"'))
    [gap] = (await screen(folder, Material(frames))).gaps
    assert "shape" in gap.detail


async def test_a_crash_costs_one_model(
    folder: Path, frames: tuple[Frame, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model that brings its process down is left out, and the rest is done by another process."""
    here = Path(__file__).parent
    monkeypatch.syspath_prepend(str(here))
    monkeypatch.setattr(run, "CHILD", "crashing_child")
    start = sandbox.run

    async def seeing_it(module: str, request: Mapping[str, Any], *, readable: Sequence[Path], **more: Any) -> object:
        return await start(module, request, readable=[*readable, here], **more)

    monkeypatch.setattr(sandbox, "run", seeing_it)
    add(folder, "crash", onnx_models.redness, "fights")
    add(folder, "later", onnx_models.redness, "weapons")
    found = await screen(folder, Material(frames))
    [gap] = found.gaps
    assert (gap.model, gap.code) == ("crash", "model_broken")
    assert "SIGSEGV" in gap.detail
    assert [use.id for use in found.models] == ["later", "redness"]


async def test_no_process_to_be_had(folder: Path, frames: tuple[Frame, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no process can be started, or it dies before any model, it is worth trying again."""
    monkeypatch.setattr(run, "CHILD", "no.such.module")
    with pytest.raises(ClassifierUnavailable):
        await screen(folder, Material(frames))


async def test_unreadable_frames(folder: Path, frames: tuple[Frame, ...], tmp_path: Path) -> None:
    """A frame that is no picture is a gap, never clean; the others are scored."""
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    found = await screen(folder, Material((*frames, Frame(9.0, str(tmp_path / "broken.jpg")))))
    assert [gap.code for gap in found.gaps] == ["frame_unreadable"]
    assert "1 of 3" in found.gaps[0].detail
    assert [bool(one.scores) for one in found.frames] == [True, True, False]


async def test_a_screening_can_be_called_off(folder: Path, frames: tuple[Frame, ...]) -> None:
    """Cancelling ends the process."""
    add(folder, "endless", onnx_models.endless, "fights")
    begun = asyncio.Event()
    registry = Registry(folder, known=folder / "none")
    work = OnnxClassifier(registry, LIMITS, Rules()).screen(Material(frames), lambda _share: begun.set())
    task = asyncio.create_task(work)
    async with asyncio.timeout(240):
        await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert started() == []


async def test_trial(folder: Path) -> None:
    """A model is tried on something empty; one that does not work says why."""
    add(folder, "bad", onnx_models.not_numbers, "fights")
    registry = Registry(folder, known=folder / "none")
    assert await run.trial(registry.get("redness"), LIMITS, Rules()) >= 0
    with pytest.raises(ModelBroken, match="bad"):
        await run.trial(registry.get("bad"), LIMITS, Rules())


class FailingClassifier:
    """One of a plugin that fails in a way of its own choosing."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    @property
    def aspects(self) -> frozenset[Aspect]:
        """It says that it looks for fights."""
        return frozenset({Aspect.FIGHTS})

    async def screen(self, material: Material, report: Callable[[float], None]) -> Findings:
        """It does not."""
        raise self._error


async def test_together_with_others(folder: Path, frames: tuple[Frame, ...]) -> None:
    """Of several classifiers one that fails is a gap; what nobody looks for is a gap without a model."""
    onnx = OnnxClassifier(Registry(folder, known=folder / "none"), LIMITS, Rules())
    combined = CombinedClassifier([onnx, FailingClassifier(ModelBroken("no luck"))])
    found = await combined.screen(Material(frames, (Text(TextSource.TITLE, "hello"),)), unheard)
    assert gore(found) == [0.0, 1.0]
    assert set(found.gaps) == {
        Gap(Aspect.FIGHTS, "FailingClassifier", "model_broken", "no luck"),
        Gap(Aspect.NUDITY, None, "model_missing"),
        Gap(Aspect.WEAPONS, None, "model_missing"),
        Gap(Aspect.TOXICITY, None, "model_missing"),
    }
    with pytest.raises(ClassifierUnavailable):
        await CombinedClassifier([FailingClassifier(ClassifierUnavailable("away"))]).screen(Material(frames), unheard)
