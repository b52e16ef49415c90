"""The settings, looked at and changed by administrators: who decides, from when on it counts, what is written down."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import pytest
from msgspec import Meta

from streamhost.config import InvalidSettings, Section, Settings, SettingsChanged, load
from streamhost.features.settings import RestartNotPossible, SettingLocked, SettingNotHere, SettingsDesk
from streamhost.model.audit import SYSTEM
from streamhost.model.branding import Brand
from streamhost.model.clock import system_clock
from streamhost.model.errors import InvalidInput


class NtfySettings(Section, frozen=True):
    """Settings of a plugin."""

    topic: Annotated[str, Meta(description="Where to.")] = "videos"


def desk_of(data: Path, brand: Brand | None = None, environment: Mapping[str, str] | None = None) -> SettingsDesk:
    """A desk on that directory."""
    settings = load(data, environment or {})
    kinds: Mapping[str, type[Section] | None] = {"ntfy": NtfySettings, "quiet": None}
    return SettingsDesk(settings, brand or Brand("x"), kinds, None, system_clock, environment or {})


async def test_what_counts_at_once_and_what_waits(tmp_path: Path) -> None:
    """The name is everywhere at once; a limit waits for the next start and says so, until it is what it was."""
    brand = Brand("streamhost")
    desk = desk_of(tmp_path, brand)
    await desk.start()
    now = await desk.change({"server.site_name": "Kino", "uploads.quota_videos": "7"}, SYSTEM)
    assert brand.name == "Kino"
    assert [one.field.key for one in now.waiting] == ["uploads.quota_videos"]
    assert load(tmp_path, {}).uploads.quota_videos == 7
    after = await desk.change({"uploads.quota_videos": None}, SYSTEM, now.version)
    assert (after.waiting, load(tmp_path, {}).uploads.quota_videos) == ([], 0)


async def test_all_or_nothing(tmp_path: Path) -> None:
    """One wrong value among several, and the file is not touched; the refusal names that one."""
    desk = desk_of(tmp_path)
    with pytest.raises(InvalidInput) as caught:
        await desk.change({"server.site_name": "Kino", "media.crf": "80"}, SYSTEM)
    assert caught.value.fields == {"media.crf": "It must be a whole number from 0 to 51."}
    with pytest.raises(InvalidInput) as caught:
        await desk.change({"cdn.kind": "pull"}, SYSTEM)
    assert "base_url" in caught.value.detail
    with pytest.raises(InvalidInput) as caught:
        await desk.change({"server.colour": "red"}, SYSTEM)
    assert caught.value.fields == {"server.colour": "There is no such setting."}
    assert not (tmp_path / "streamhost.toml").exists()


async def test_what_would_not_start_is_not_written(tmp_path: Path) -> None:
    """A rehearsal of the next start comes before the file."""
    desk = desk_of(tmp_path)

    async def fails(settings: Settings) -> None:
        raise InvalidSettings(f"mail.sender: mail.host needs it ({settings.mail.host}).")

    desk.rehearse = fails
    with pytest.raises(InvalidInput) as caught:
        await desk.change({"mail.host": "smtp.example.org"}, SYSTEM)
    assert "mail.sender" in caught.value.detail
    assert not (tmp_path / "streamhost.toml").exists()


async def test_who_decides(tmp_path: Path) -> None:
    """The environment goes before the file and cannot be overruled; what is about the machine is changed there."""
    desk = desk_of(tmp_path, environment={"STREAMHOST_MAIL_HOST": "relay", "STREAMHOST_MAIL_SENDER": "v@example.org"})
    now = await desk.now()
    [host] = [one for one in now.items if one.field.key == "mail.host"]
    assert (host.value, host.locked) == ("relay", "STREAMHOST_MAIL_HOST")
    with pytest.raises(SettingLocked, match="STREAMHOST_MAIL_HOST"):
        await desk.change({"mail.host": "other"}, SYSTEM)
    await desk.change({"mail.host": "relay"}, SYSTEM)  # as it is
    with pytest.raises(SettingNotHere):
        await desk.change({"imports.folders": "/etc"}, SYSTEM)
    await desk.change({"imports.folders": "/srv/films"}, SYSTEM, from_afar=False)
    assert load(tmp_path, {}).imports.folders == ("/srv/films",)


async def test_two_administrators(tmp_path: Path) -> None:
    """Of two who looked at the same, the second one is told."""
    desk = desk_of(tmp_path)
    version = (await desk.now()).version
    await desk.change({"server.site_name": "First"}, SYSTEM, version)
    with pytest.raises(SettingsChanged):
        await desk.change({"server.site_name": "Second"}, SYSTEM, version)
    assert load(tmp_path, {}).server.site_name == "First"


async def test_settings_of_plugins(tmp_path: Path) -> None:
    """They stand in tables of their own, and are checked like the others."""
    desk = desk_of(tmp_path)
    await desk.start()
    now = await desk.change({"plugins.ntfy.topic": "club"}, SYSTEM)
    assert [(one.value, one.waits) for one in now.of("plugins.ntfy")] == [("club", True)]
    assert '[plugins.ntfy]\ntopic = "club"' in (tmp_path / "streamhost.toml").read_text()


async def test_secrets_never_come_back(tmp_path: Path) -> None:
    """Whether there is one is all that is told."""
    desk = desk_of(tmp_path)
    now = await desk.change({"mail.password": "hunter2"}, SYSTEM)
    [secret] = [one for one in now.items if one.field.key == "mail.password"]
    assert secret.is_set
    assert "hunter2" not in repr(now)


async def test_a_restart_needs_somebody_who_can_do_it(tmp_path: Path) -> None:
    """Without one it is refused; what would not come back is not ended."""
    desk = desk_of(tmp_path)
    with pytest.raises(RestartNotPossible):
        await desk.restart(SYSTEM)
    desk.restart_asked = asyncio.Event()
    (tmp_path / "streamhost.toml").write_text("[server]\nport = 'x'\n")
    with pytest.raises(InvalidInput, match=r"server\.port"):
        await desk.restart(SYSTEM)
    assert not desk.restart_asked.is_set()
    (tmp_path / "streamhost.toml").write_text("")
    await desk.restart(SYSTEM)
    assert desk.restart_asked.is_set()
