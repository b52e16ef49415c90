"""Plugins that are asked before something is done, and plugins that change what is done."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from streamhost.config import InvalidSettings
from streamhost.hookspecs import Offer, Refused
from streamhost.model.accounts import ANONYMOUS, Role, User, Viewer
from streamhost.model.ids import SessionId, UserId, VideoId
from streamhost.model.mail import Message
from streamhost.model.streaming import MediaInfo, Rung
from streamhost.model.videos import Video
from streamhost.plugins import PluginFailed, asking
from tests.unit.plugins.kit import failing, house, plugin

FILM = Video(VideoId("film"), UserId("alice"), "A film", 0.0, 0.0, password_hash="hash")
OFFER = Offer(UserId("alice"), "film.mp4", 1000, {})
RUNGS = (Rung("v720", 1280, 720, 23, 2_800_000, 4_200_000), Rung("v360", 640, 360, 23, 800_000, 1_200_000))
INFO = MediaInfo("mp4", 1000, Fraction(10), Fraction(0), None, ())
MAIL = Message("letter", "alice@example.org", "Hello", "Hello.\n", "<p>Hello.</p>")


def no_cats(offer: Offer) -> None:
    """Refuses cats."""
    if "cat" in offer.filename:
        raise Refused("No cats here.\n<b>Sorry\x00</b>" + "!" * 1000)


async def test_a_refusal_is_told_in_the_words_of_the_plugin(tmp_path: Path) -> None:
    """Its words are one line, without odd signs, and not too many of them."""
    gates = house(tmp_path, plugin("cats", before_upload=no_cats)).gates
    await gates.upload(OFFER)
    with pytest.raises(Refused) as refused:
        await gates.upload(replace(OFFER, filename="my cat.mp4"))
    assert refused.value.detail.startswith("No cats here. <b>Sorry </b>!!!")
    assert len(refused.value.detail) == 500


async def test_everybody_is_asked_in_turn(tmp_path: Path) -> None:
    """By name; after the first refusal nobody else is."""
    asked: list[str] = []

    def note(name: str, refuse: bool = False) -> Any:
        async def before_playback(viewer: Viewer, video: Video) -> None:
            asked.append(name)
            if refuse:
                raise Refused(f"says {name}")

        return plugin(name, before_playback=before_playback)

    gates = house(tmp_path, note("c"), note("a"), note("b", refuse=True)).gates
    with pytest.raises(Refused, match="says b"):
        await gates.playback(FILM, ANONYMOUS)
    assert asked == ["a", "b"]


async def test_no_gate_sees_the_hash_of_a_password(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A plugin is shown the video, and who watches it, without what opens it or proves who somebody is; nor does the
    trace of its calls print any of that."""
    seen: list[Video] = []
    viewers: list[Viewer] = []
    user = User(UserId("bob"), "bob@example.org", "Bob", Role.VIEWER, "argon2-hash", 0.0)
    watching = Viewer(user, SessionId("session"), passes=("a-pass",))
    curious = plugin(
        "curious",
        before_publish=lambda video: seen.append(video),
        before_playback=lambda viewer: viewers.append(viewer),
    )
    gates = house(tmp_path, curious, env={"STREAMHOST_TRACE_PLUGINS": "1"}).gates
    await gates.publish(FILM)
    await gates.playback(FILM, watching)
    await gates.playback(FILM, ANONYMOUS)
    assert [video.password_hash for video in seen] == [None]
    assert [(one.id, one.passes, one.user and one.user.password_hash) for one in viewers] == [
        ("bob", (), ""),
        (None, (), None),
    ]
    said = capfd.readouterr().err
    assert "before_playback(viewer=" in said
    assert "hash" not in said + repr(watching)


@pytest.mark.parametrize("error", [ValueError("broken"), SystemExit(1)])
async def test_a_broken_gate_is_shut(error: BaseException, tmp_path: Path) -> None:
    """Nobody passes a gate that fails, and nobody but the log is told why; unless the settings let them."""
    broken = plugin("broken", before_register=failing(error))
    shut = house(tmp_path, broken)
    with pytest.raises(PluginFailed) as failure:
        await shut.gates.register("bob@example.org", "Bob")
    assert failure.value.detail == ""
    [trouble] = shut.troubles("broken")
    assert (trouble.hook, trouble.words.split(":")[0]) == (
        "before_register",
        type(error).__name__ if isinstance(error, Exception) else "RuntimeError",
    )
    await house(tmp_path, broken, plugins__lenient=("broken",)).gates.register("bob@example.org", "Bob")


async def test_a_gate_that_hangs_is_soon_asked_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a few time-outs in a row a plugin is not asked for a while, so that not every request waits for it."""
    monkeypatch.setattr(asking, "REST_SECONDS", 3600.0)
    asked: list[Offer] = []

    async def hangs(offer: Offer) -> None:
        asked.append(offer)
        await asyncio.sleep(60)

    gates = house(tmp_path, plugin("slow", before_upload=hangs), plugins__before_seconds=0.05).gates
    for _ in range(100):
        with pytest.raises(PluginFailed):
            await gates.upload(OFFER)
    assert len(asked) == asking.SLOW_TIMES


def test_leniency_is_for_plugins_that_are_there(tmp_path: Path) -> None:
    """A misspelt name must not leave a gate shut that was meant to be open."""
    with pytest.raises(InvalidSettings, match="borken"):
        house(tmp_path, plugin("broken", before_upload=no_cats), plugins__lenient=("borken",))


async def test_shapes_follow_each_other(tmp_path: Path) -> None:
    """Each plugin is given what the one before it made; None leaves it as it is."""
    shapes = house(
        tmp_path,
        plugin("a", shape_mail=lambda message: replace(message, subject=message.subject + " a")),
        plugin("b", shape_mail=lambda message: None),
        plugin("c", shape_mail=lambda message: replace(message, subject=message.subject + " c")),
        plugin("ladder", shape_ladder=lambda rungs: rungs[1:]),
    ).shapes
    assert (await shapes.mail(MAIL)).subject == "Hello a c"
    assert await shapes.ladder(RUNGS, INFO) == RUNGS[1:]


LIES: dict[str, Any] = {
    "nothing": (),
    "a list": list(RUNGS),
    "no rungs": ("v720", "v360"),
    "twice the same": RUNGS[:1] * 2,
    "larger than the source": (replace(RUNGS[0], name="v1080", width=1920, height=1080),),
    "odd": (replace(RUNGS[1], width=641),),
    "a path": (replace(RUNGS[1], name="../../etc"),),
    "a negative rate": (replace(RUNGS[1], max_rate=-1),),
}


@pytest.mark.parametrize("lie", LIES)
async def test_what_is_no_ladder_is_passed_over(lie: str, tmp_path: Path) -> None:
    """A plugin that returns what cannot be made changes nothing, and is remembered for it."""
    plugins = house(tmp_path, plugin("liar", shape_ladder=lambda: LIES[lie]))
    assert await plugins.shapes.ladder(RUNGS, INFO) == RUNGS
    assert [trouble.hook for trouble in plugins.troubles()] == ["shape_ladder"]


@pytest.mark.parametrize(
    "shape", [failing(OSError("no")), lambda: "mail", lambda: replace(MAIL, recipient="eve@example.org")]
)
async def test_mail_is_sent_whatever_plugins_do(shape: Any, tmp_path: Path) -> None:
    """A plugin that fails, or sends it elsewhere, leaves the mail as it was."""
    plugins = house(tmp_path, plugin("liar", shape_mail=shape))
    assert await plugins.shapes.mail(MAIL) == MAIL
    assert len(plugins.troubles("liar")) == 1
