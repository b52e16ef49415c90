"""Permission to play ends with the session, whoever ends it, and stays ended across a restart."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from streamhost.db import videos as video_rows
from streamhost.features.accounts import SignIn
from streamhost.host import Host, assemble
from streamhost.instance import open_instance
from streamhost.model.accounts import ANONYMOUS, Role, Viewer
from streamhost.model.audit import Actor
from streamhost.model.grants import GrantRevoked
from streamhost.model.ids import VideoId
from streamhost.model.videos import Video
from tests.support.house import PASSWORD, a_host, private_video


@dataclass(slots=True)
class Playing:
    """A running house in which alice, a creator, plays her private video."""

    host: Host
    video: VideoId
    sign_in: SignIn
    grant: str

    async def play(self, bearer: str) -> str:
        """A new grant for whoever has this token."""
        viewer = await self.host.accounts.viewer_of_bearer(bearer)
        return (await self.host.playback.stream(self.video, viewer)).hls.split("/")[2]

    def plays(self, grant: str) -> bool:
        """Whether segments are still given out."""
        try:
            self.host.grants.check(grant, self.video)
        except GrantRevoked:
            return False
        return True


@pytest.fixture
async def playing(tmp_path: Path) -> AsyncIterator[Playing]:
    async with a_host(tmp_path / "data") as host:
        user = await host.accounts.people.add("alice@example.org", PASSWORD, "Alice", Role.CREATOR, verified=True)
        video = await private_video(host.db, user.id)
        sign_in = await host.accounts.login("alice@example.org", PASSWORD)
        begun = Playing(host, video, sign_in, "")
        begun.grant = await begun.play(sign_in.access_token)
        assert begun.plays(begun.grant)
        yield begun


async def test_signing_out_ends_what_plays_in_that_session(playing: Playing) -> None:
    """At once, and only there: another device of the same user plays on."""
    other = await playing.host.accounts.login("alice@example.org", PASSWORD)
    elsewhere = await playing.play(other.access_token)
    await playing.host.accounts.logout(playing.sign_in.session.id)
    assert not playing.plays(playing.grant)
    assert playing.plays(elsewhere)
    await playing.host.accounts.revoke(other.user.id, other.session.id)
    assert not playing.plays(elsewhere)


async def test_disabling_ends_everything_that_plays(playing: Playing) -> None:
    """In every session and by every API token of the user; after enabling, only new permissions hold."""
    user, accounts = playing.sign_in.user, playing.host.accounts
    token = await accounts.api_tokens.create(user, PASSWORD, "t", ["read"], None, Actor.of(user))
    by_token = await playing.play(token.text)
    assert playing.plays(by_token)
    await accounts.people.disable(user.id)
    assert not playing.plays(playing.grant)
    assert not playing.plays(by_token)
    await accounts.people.enable(user.id)
    fresh = await playing.play((await accounts.login("alice@example.org", PASSWORD)).access_token)
    assert playing.plays(fresh)
    assert not playing.plays(playing.grant)


async def test_a_stolen_refresh_token_ends_what_plays(playing: Playing) -> None:
    """The family that is revoked takes its permissions along."""
    accounts = playing.host.accounts
    await accounts.refresh(playing.sign_in.refresh_token)
    assert playing.plays(playing.grant)
    with pytest.raises(Exception, match="used before"):
        await accounts.refresh(playing.sign_in.refresh_token)
    assert not playing.plays(playing.grant)


async def test_the_command_line_ends_what_plays(playing: Playing) -> None:
    """What another process ends is noticed by the server within seconds."""
    beside = await assemble(playing.host.settings, open_instance(playing.host.settings.data))
    try:
        await beside.accounts.people.delete(playing.sign_in.user.id)
    finally:
        await beside.close()
    deadline = time.monotonic() + 150
    while playing.plays(playing.grant):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)


async def test_what_is_given_out_before_the_news_arrives_ends_too(playing: Playing) -> None:
    """For some seconds the server does not know what another process has ended, and gives out permissions by what it
    knew: with the news they are worth nothing either."""
    host, user = playing.host, playing.sign_in.user
    viewer = await host.accounts.viewer_of_bearer(playing.sign_in.access_token)
    await host.accounts.stop()
    beside = await assemble(host.settings, open_instance(host.settings.data))
    try:
        await beside.accounts.people.disable(user.id)
    finally:
        await beside.close()
    late = (await host.playback.stream(playing.video, viewer)).hls.split("/")[2]
    assert playing.plays(late)
    await host.accounts.start()
    assert not playing.plays(late)
    await host.accounts.people.enable(user.id)
    again = await host.accounts.login("alice@example.org", PASSWORD)
    assert playing.plays(await playing.play(again.access_token))


async def test_a_video_that_is_closed_while_somebody_asks(playing: Playing, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever was allowed to play by what the catalog said a moment before gets no permission that is newer than the
    end of all others, however long a plugin thinks about it."""
    host, owner = playing.host, playing.sign_in
    viewer = await host.accounts.viewer_of_bearer(owner.access_token)
    await host.catalog.edit(playing.video, viewer, {"visibility": "public"})

    async def closes(_video: Video, _viewer: Viewer) -> None:
        await host.catalog.edit(playing.video, viewer, {"visibility": "private"})

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(host.playback, "_gate", closes)
        with pytest.raises(GrantRevoked):
            await host.playback.stream(playing.video, ANONYMOUS)
    assert playing.plays(await playing.play(owner.access_token))


async def test_a_restart_forgives_nothing(playing: Playing) -> None:
    """A permission that was taken back stays so in the next server; others still hold."""
    other = await playing.host.accounts.login("alice@example.org", PASSWORD)
    elsewhere = await playing.play(other.access_token)
    await playing.host.accounts.logout(playing.sign_in.session.id)
    await playing.host.stop(5.0)
    async with a_host(playing.host.settings.data) as again:
        with pytest.raises(GrantRevoked):
            again.grants.check(playing.grant, playing.video)
        again.grants.check(elsewhere, playing.video)


async def test_a_deleted_account_leaves_nothing_behind(playing: Playing) -> None:
    """Its videos are gone from the catalog, and a job removes their files."""
    await playing.host.accounts.people.delete(playing.sign_in.user.id)
    async with playing.host.db.read() as conn:
        assert await video_rows.get(conn, playing.video) is None
        jobs = await conn.fetch_all("SELECT payload FROM jobs WHERE kind = 'delete_media'", {})
    # At once, and again when nothing can write there any more.
    expected = {f"{top}/{playing.video}/": 2 for top in ("videos", "stills")}
    assert Counter(json.loads(job["payload"])["prefix"] for job in jobs) == expected
