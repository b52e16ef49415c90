"""What plugins are given: their settings, a storage with a folder of their own, the queue. No more."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import pytest
from msgspec import Meta

from streamhost.config import InvalidSettings, Section
from streamhost.hookspecs import PluginHost, Work
from streamhost.model.errors import Conflict
from streamhost.model.events import VideoProcessed
from streamhost.model.ids import UserId, VideoId
from streamhost.plugins import HostNotReady, NotYours, PluginFailed
from streamhost.storage.memory import MemoryStorage
from tests.unit.plugins.kit import Queued, furnished, house, plugin


class BellSettings(Section, frozen=True):
    """How the bell rings."""

    topic: Annotated[str, Meta(min_length=1, description="Where it rings.")]
    times: Annotated[int, Meta(ge=1, le=9, description="How often it rings.")] = 1
    token: Annotated[str, Meta(description="Who may ring it.", extra={"secret": True})] = ""

    def __post_init__(self) -> None:
        if self.topic == "silence":
            raise ValueError("a bell cannot ring silence")


BELL = plugin("bell", register_settings=lambda: BellSettings, on_event=lambda event: None)
MUTE = plugin("mute", on_event=lambda event: None)
TOPIC = '[plugins.bell]\ntopic = "door"\n'


def test_settings_come_from_everywhere(tmp_path: Path) -> None:
    """The file, the environment, and files that the environment names, as for every other setting."""
    secret = tmp_path / "token"
    secret.write_text("abc\n")
    env = {"STREAMHOST_PLUGINS_BELL_TIMES": "3", "STREAMHOST_PLUGINS_BELL_TOKEN_FILE": str(secret)}
    plugins = house(tmp_path / "data", BELL, MUTE, toml=TOPIC, env=env)
    assert plugins.host("bell").settings == BellSettings("door", 3, "abc")
    assert plugins.host("mute").settings is None
    [bell, _] = plugins.all
    assert bell.resolved is not None
    assert bell.resolved.origins == {
        "plugins.bell.topic": str(tmp_path / "data" / "streamhost.toml"),
        "plugins.bell.times": "STREAMHOST_PLUGINS_BELL_TIMES",
        "plugins.bell.token": "STREAMHOST_PLUGINS_BELL_TOKEN_FILE",
    }
    assert [field.secret for field in bell.resolved.fields] == [False, False, True]


WRONG: Mapping[str, tuple[str, dict[str, str], str]] = {
    "missing": ("", {}, "plugins.bell.topic: it must be set, to a text (STREAMHOST_PLUGINS_BELL_TOPIC)"),
    "out of range": (TOPIC + "times = 10\n", {}, "plugins.bell.times: 10 is not a whole number from 1 to 9"),
    "a secret of the wrong kind": (TOPIC + "token = 7\n", {}, "plugins.bell.token: what is given is not a text"),
    "misspelt": (TOPIC + "tims = 1\n", {}, "plugins.bell.tims: no such setting; is plugins.bell.times meant?"),
    "a misspelt variable": (TOPIC, {"STREAMHOST_PLUGINS_BELL_TIEMS": "1"}, "is STREAMHOST_PLUGINS_BELL_TIMES meant?"),
    "another plugin": (TOPIC + "[plugins.bel]\na = 1\n", {}, "[plugins.bel]: no such plugin is installed; is plugins"),
    "of one that has none": (TOPIC + "[plugins.mute]\na = 1\n", {}, "[plugins.mute]: this plugin has no settings"),
    "refused by itself": ('[plugins.bell]\ntopic = "silence"\n', {}, "plugins.bell: a bell cannot ring silence"),
    "misspelt in the core's part": (TOPIC, {"STREAMHOST_PLUGINS_DISABELD": "a"}, "no such setting"),
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong_settings_are_named(what: str, tmp_path: Path) -> None:
    """Each with what it may be, or what was perhaps meant."""
    toml, env, words = WRONG[what]
    with pytest.raises(InvalidSettings) as wrong:
        house(tmp_path, BELL, MUTE, toml=toml, env=env)
    assert words in wrong.value.detail


def test_settings_of_plugins_that_are_left_alone_are_passed_over(tmp_path: Path) -> None:
    """Whoever disables a plugin need not remove its settings."""
    toml = '[plugins]\ndisabled = ["bell"]\n[plugins.bell]\nwhatever = 1\n'
    plugins = house(tmp_path, BELL, MUTE, toml=toml, env={"STREAMHOST_PLUGINS_BELL_WHATEVER": "1"})
    assert [one.name for one in plugins.all] == ["mute"]


async def test_each_has_a_folder_of_its_own(tmp_path: Path) -> None:
    """Everything can be read; what is not a plugin's own cannot be written or deleted by it."""
    plugins, storage = house(tmp_path, MUTE), MemoryStorage()
    host = plugins.host("mute")
    with pytest.raises(HostNotReady):
        await host.storage.put_bytes("plugins/mute/a", b"a")
    plugins.register(storage, Queued())
    await storage.put_bytes("videos/film/a", b"film")
    await host.storage.put_bytes("plugins/mute/a", b"mine")
    assert b"".join([part async for part in host.storage.read("videos/film/a")]) == b"film"
    assert b"".join([part async for part in storage.read("plugins/mute/a")]) == b"mine"
    with pytest.raises(NotYours):
        await host.storage.put_bytes("videos/film/a", b"not mine")
    with pytest.raises(NotYours):
        await host.storage.delete("plugins/mutex/a")
    with pytest.raises(NotYours):
        await host.storage.delete_prefix("")
    assert b"".join([part async for part in storage.read("videos/film/a")]) == b"film"


async def test_work_is_put_into_the_queue_and_done(tmp_path: Path) -> None:
    """By its name; work that nobody registered is a mistake that is said at once."""
    done: list[object] = []

    async def ring(what: Mapping[str, Any], house: PluginHost[Any]) -> None:
        done.append((what["times"], house.name))
        if what["times"] == 0:
            raise Conflict("no bell rings not at all")

    def crash(what: Mapping[str, Any], _house: PluginHost[Any]) -> None:
        done.append(what["times"] / 0)

    works = {"ring": Work(ring), "crash": Work(crash)}
    plugins = house(tmp_path, plugin("bell", register_jobs=lambda: works))
    queued = furnished(plugins)
    host = plugins.host("bell")
    assert await host.enqueue("ring", {"times": 2}, delay=5, key="door")
    assert queued.added == [("bell", "ring", {"times": 2}, 5, "door")]
    with pytest.raises(ValueError, match="no work 'sing'"):
        await host.enqueue("sing")
    await plugins.do("bell", "ring", {"times": 2})
    assert done == [(2, "bell")]
    with pytest.raises(Conflict):
        await plugins.do("bell", "ring", {"times": 0})
    with pytest.raises(PluginFailed, match="ZeroDivisionError"):
        await plugins.do("bell", "crash", {"times": 0})
    assert [trouble.hook for trouble in plugins.troubles("bell")] == ["work crash", "work ring"]


async def test_events_are_heard_and_failures_remembered(tmp_path: Path) -> None:
    """What a plugin raises is raised again, for the queue to tell it later, and is seen by whoever looks."""
    event = VideoProcessed(VideoId("film"), UserId("alice"), "A film", at=0.0)
    heard: list[object] = []

    def listen(event: VideoProcessed, host: PluginHost[Any]) -> None:
        heard.append((event, host.name))
        raise ValueError("deaf")

    plugins = house(tmp_path, plugin("ear", on_event=listen))
    with pytest.raises(PluginFailed):
        await plugins.subscribers()["ear"](event)
    assert heard == [(event, "ear")]
    assert [trouble.words for trouble in plugins.troubles()] == ["ValueError: deaf"]
