"""Models that break the process in which they look, on the whole way of an upload: that approves nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from streamhost import sandbox
from streamhost.ml import run
from streamhost.model.ids import VideoId
from streamhost.model.moderation import Aspect
from streamhost.model.verdicts import Decision, Look, Risk
from streamhost.model.videos import Clearance, Video
from tests.support import onnx_models
from tests.support.clips import small_clip
from tests.support.house import House, a_house
from tests.support.waiting import until

CHILDREN = Path(__file__).parents[1] / "unit" / "ml"
"""Where `crashing_child` lies: the real child, but that a model called `crash` reads address 0."""
PATIENCE = 3
"""Processor seconds, so that what never ends does so soon."""


@pytest.fixture
async def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    """A community that looks for fights alone, besides words, with one good model for that."""
    monkeypatch.syspath_prepend(str(CHILDREN))
    monkeypatch.setattr(run, "CHILD", "crashing_child")
    start = sandbox.run

    async def seeing_it(module: str, request: Mapping[str, Any], **more: Any) -> object:
        return await start(module, request, **more | {"readable": [*more.get("readable", ()), CHILDREN]})

    monkeypatch.setattr(sandbox, "run", seeing_it)
    add(tmp_path / "data", "good", onnx_models.redness, ["blue", "red"])
    looks_for = {"moderation__profile": "community", "moderation__not_screened": ("nudity", "gore", "weapons")}
    async with a_house(tmp_path / "data", **looks_for) as house:
        classifier = house.host.models.onnx
        # Where others keep the processor busy, no model is taken for one that is silent.
        monkeypatch.setattr(classifier, "_limits", replace(classifier._limits, silence_seconds=1200.0, nice=0))
        yield house


def add(data: Path, name: str, make: Callable[[Path], bytes], labels: Sequence[str]) -> None:
    """Put a model there that looks for fights."""
    folder = data / "models"
    folder.mkdir(parents=True, exist_ok=True)
    content = make(folder / f"{name}.onnx")
    text = onnx_models.manifest(name, content, labels=labels, aspect="fights")
    (folder / f"{name}.toml").write_text(text, "utf-8")


async def uploaded(house: House) -> Video:
    """A film of alice's once everything about it is done."""
    async with house.client() as client:
        answer = await client.post(
            "/api/v1/upload",
            files={"file": ("film.mp4", small_clip().read_bytes())},
            data={"title": "A film", "visibility": "public"},
            headers=await house.bearer("alice"),
        )
    assert answer.status_code == 202, answer.text
    await house.host.worker.idle()
    found = await house.host.catalog.known(VideoId(answer.json()["video"]["id"]))
    assert found is not None
    return found


BAD: Mapping[str, tuple[Callable[[Path], bytes], Sequence[str], str]] = {
    "crash": (onnx_models.redness, ["red", "blue"], "SIGSEGV"),
    "hungry": (onnx_models.hungry, ["bad"], ""),
    "endless": (onnx_models.endless, ["bad", "b", "c"], "processor time"),
}


async def test_a_model_that_breaks_its_process_approves_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A segmentation fault, more memory than there is, and no end: each film goes to a person with the reason, and the
    server goes on; before and after such a model films are approved."""
    assert (await uploaded(house)).clearance is Clearance.OPEN
    folder, classifier = house.host.settings.data / "models", house.host.models.onnx
    async with house.client() as bob:

        async def well() -> bool:
            return (await bob.get("/readyz")).status_code == 200

        for name, (make, labels, said) in BAD.items():
            add(house.host.settings.data, name, make, labels)
            with monkeypatch.context() as patched:
                if make is onnx_models.endless:
                    patched.setattr(classifier, "_limits", replace(classifier._limits, cpu_seconds=PATIENCE))
                video = await uploaded(house)
            assert video.clearance is Clearance.REVIEW, name
            assert (await bob.get(f"/api/v1/stream/{video.id}")).status_code == 404
            file = await house.host.moderation.desk.file(video.id)
            assert file.verdict is not None
            assert (file.verdict.decision, file.verdict.judgement.risk) == (Decision.REVIEW, Risk.UNKNOWN)
            [fights] = [one for one in file.verdict.judgement.opinions if one.aspect is Aspect.FIGHTS]
            assert (fights.look, fights.held) == (Look.PARTLY, True), "the good model has still looked"
            [gap] = [gap for gap in file.verdict.gaps if gap.model == name]
            assert gap.code == "model_broken"
            assert gap.detail
            assert said in gap.detail
            await until(well)
            for ending in ("onnx", "toml"):
                (folder / f"{name}.{ending}").unlink()
    assert (await uploaded(house)).clearance is Clearance.OPEN
