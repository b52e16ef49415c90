"""From an event to the people it concerns: once, by the channels they want, in words that stay words."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from streamhost.features.notifications.kinds import KINDS, kinds_of
from streamhost.features.notifications.unsubscribing import Leaving
from streamhost.model.clock import DAY, MINUTE
from streamhost.model.errors import InvalidInput, NotFound, StreamhostError
from streamhost.model.events import (
    DiskLow,
    QuotaReached,
    ReplacementFailed,
    ReplacementHeld,
    UserRegistered,
    VideoApproved,
    VideoDeleted,
    VideoFailed,
    VideoHeld,
    VideoPublished,
    VideoRejected,
    VideoReplaced,
)
from streamhost.model.ids import NoticeId, UserId, VideoId
from streamhost.model.notices import NoticeKind
from streamhost.model.tasks import SweepNotices
from streamhost.ports import NotifyRefused, NotifyUnavailable
from tests.unit.notifications.conftest import HOME, NoticeHouse

FILM, ALICE = VideoId("film0"), UserId("alice")


async def test_a_video_is_ready(house: NoticeHouse) -> None:
    """Its owner finds it under the bell and in a mail, each with the page to open; nobody else hears of it."""
    await house.tell(house.processed())
    await house.settled()
    [stored] = (await house.room.bell.listed(ALICE, limit=10)).items
    assert (stored.notice.title, stored.notice.path, stored.read_at) == ("“Holidays 0” is ready", "/watch/film0", None)
    [(to, mail)] = house.mails
    assert (to, mail.subject) == ("alice@example.org", "“Holidays 0” is ready")
    assert f"{HOME}/watch/film0" in mail.text
    assert f'href="{HOME}/watch/film0"' in mail.html
    assert [await house.under_the_bell(who) for who in ("bob", "carol", "mia", "root")] == [[], [], [], []]


async def test_told_once(house: NoticeHouse) -> None:
    """An event that is told again, because nobody knows whether it was, is told on once; one rolled back never."""
    event = house.processed()
    for _ in range(3):
        await house.room.hear(event)
    with pytest.raises(ZeroDivisionError):
        async with house.db.write() as conn:
            await house.room.tell(conn, NoticeKind.DEAD_LETTERS, {"detail": "x"})
            raise ZeroDivisionError
    await house.settled()
    assert len(await house.under_the_bell("alice")) == len(house.mails) == 1
    assert await house.under_the_bell("root") == []


async def test_everything_that_can_happen(house: NoticeHouse) -> None:
    """Each event of the flows reaches whom it concerns, in a sentence without holes."""
    at, words = house.bench.clock(), ("Holidays",)
    video = (FILM, ALICE, *words)
    await house.tell(
        VideoFailed(*video, "not_media", "This is no film.", at=at),
        VideoPublished(*video, at=at),
        VideoReplaced(*video, at=at),
        ReplacementFailed(*video, "not_media", "This is no film.", at=at),
        ReplacementHeld(*video, "It seems to show nudity.", at=at),
        VideoDeleted(*video, UserId("root"), at=at),
        VideoApproved(*video, at=at),
        VideoHeld(*video, "Somebody reported it.", at=at),
        VideoRejected(*video, "It shows violence.", at=at),
        QuotaReached(ALICE, 9_500_000_000, 10_000_000_000, at=at),
        DiskLow(3_000_000_000, 2_147_483_648, at=at),
        UserRegistered(UserId("bob"), at=at),
    )
    await house.settled()
    assert {kind for kind, _ in await house.under_the_bell("alice")} == {
        *("video_failed", "video_replaced", "replacement_failed", "video_deleted", "video_approved", "video_held"),
        *("video_rejected", "quota_reached", "replacement_held"),
    }
    assert await house.under_the_bell("mia") == [("review_waiting", "“Holidays” waits for a review")] * 2
    assert {kind for kind, _ in await house.under_the_bell("root")} == {"review_waiting", "disk_low"}
    pages = [await house.room.bell.listed(UserId(who)) for who in ("alice", "root")]
    texts = [one.notice.text for page in pages for one in page.items]
    assert "You use 9.5 GB of 10.0 GB. What is more will be refused." in texts
    assert "It shows violence." in texts
    assert [text for text in texts if re.search(r"[{}]|None|  ", text)] == []
    assert {to for to, _ in house.mails} == {"alice@example.org", "root@example.org"}
    assert [notice.kind for notice in house.wall.sent] == ["video_failed"]
    assert house.wall.sent[0].recipient is None


async def test_nobody_is_told_of_what_they_did(house: NoticeHouse) -> None:
    """Whoever deletes a video of their own knows it, and so does one whose account goes."""
    at = house.bench.clock()
    for by in (ALICE, None):
        await house.tell(VideoDeleted(FILM, ALICE, "Holidays", by, at=at))
    await house.tell(VideoDeleted(FILM, UserId("gone"), "Holidays", UserId("root"), at=at))
    await house.settled()
    assert await house.under_the_bell("alice") == []


async def test_many_at_once_are_few_mails(house: NoticeHouse) -> None:
    """The first is mailed at once; what follows comes together, in one mail, when its time has come; none is lost."""
    await house.tell(house.processed(0))
    await house.settled()
    await house.tell(*(house.processed(number) for number in range(1, 60)))
    await house.settled()
    assert len(house.mails) == 1
    await house.later(15 * MINUTE)
    [_, (_, digest)] = house.mails
    assert digest.subject == "59 news from Film club"
    assert digest.text.count("is ready") == 40
    assert f"And 19 more: {HOME}/notifications" in digest.text
    await house.later(DAY)
    assert len(house.mails) == 2
    assert len(await house.under_the_bell("alice")) == 60


async def test_hostile_words_in_mails(house: NoticeHouse) -> None:
    """A title is a title: no markup, no header, no template."""
    await house.tell(house.processed(title="<img src=x>\r\nBcc: all@example.org\r\n{{ 7*7 }} {title} \u202e"))
    await house.settled()
    [(_, mail)] = house.mails
    assert "\n" not in mail.subject and "\r" not in mail.subject
    assert "<img" not in mail.html
    assert "{{ 7*7 }} {title}" in mail.text


async def test_wishes(house: NoticeHouse) -> None:
    """What somebody has switched off does not come, what they have switched on does, by their address."""
    alice, room = house.people["alice"], house.room
    choices = await room.preferences.of(alice)
    assert [channel.name for channel in choices.channels] == ["in_app", "email", "pager"]
    assert {one.kind for one in choices.kinds} == {
        kind for kind, one in KINDS.items() if one.audience in ("owner", "anybody")
    }
    await room.preferences.change(alice, {"video_processed": {"email": False, "in_app": False}}, {"pager": " 4711 "})
    await house.tell(house.processed())
    await house.settled()
    assert (house.mails, await house.under_the_bell("alice")) == ([], [])
    [paged] = house.pager.sent
    assert paged.recipient is not None
    assert (paged.recipient.address, paged.link) == ("4711", f"{HOME}/watch/film0")
    for wishes, addresses, field in (
        ({"disk_low": {"email": True}}, {}, "kinds.disk_low"),
        ({"nothing": {}}, {}, "kinds.nothing"),
        ({"video_failed": {"smoke": True}}, {}, "kinds.video_failed.smoke"),
        ({}, {"pager": "call me"}, "addresses.pager"),
        ({}, {"email": "other@example.org"}, "addresses.email"),
    ):
        with pytest.raises(InvalidInput) as failure:
            await room.preferences.change(alice, wishes, addresses)
        assert field in failure.value.fields
    await room.preferences.change(alice, {}, {"pager": ""})
    await house.tell(house.processed(1))
    await house.settled()
    assert len(house.pager.sent) == 1


async def test_no_more_mail_by_a_link(house: NoticeHouse) -> None:
    """The link of a mail about one kind ends that kind, the one of several ends all; a forged one ends nothing."""
    await house.tell(house.processed())
    await house.settled()
    token = house.mails[0][1].unsubscribe.partition("?token=")[2]
    opened = house.room.unsubscribing.open(token)
    assert opened == Leaving(ALICE, NoticeKind.VIDEO_PROCESSED)
    await house.room.preferences.leave(opened)
    await house.later(DAY)
    await house.tell(house.processed(1), VideoFailed(FILM, ALICE, "H", "c", "d", at=house.bench.clock()))
    await house.settled()
    assert [mail.subject for _, mail in house.mails[1:]] == ["“H” could not be processed"]
    await house.room.preferences.leave(house.room.unsubscribing.open(house.room.unsubscribing.token(ALICE, None)))
    await house.later(DAY)
    await house.tell(VideoFailed(FILM, ALICE, "H", "c", "d", at=house.bench.clock()))
    await house.settled()
    assert len(house.mails) == 2
    mac = token.rpartition(".")[2]
    for forged in ("", "x", token[:-1], f"carol.video_processed.{mac}", f"alice.all.{mac}", "ä" * 300):
        with pytest.raises(StreamhostError):
            house.room.unsubscribing.open(forged)


async def test_templates_of_the_site(house: NoticeHouse, tmp_path: Path) -> None:
    """A site's own template is used; one that is broken, or reaches for what it should not, is not, and mail goes."""
    own = tmp_path / "templates" / "mail"
    own.mkdir(parents=True)
    (own / "video_processed.subject.txt").write_text("Fertig: {{ notice.data.title }}")
    (own / "video_processed.txt").write_text("Hallo {{ name }}: {{ notice.link }}")
    (own / "notice.html").write_text("{{ ''.__class__.__mro__[1].__subclasses__() }}")
    await house.tell(house.processed())
    await house.settled()
    [(_, mail)] = house.mails
    assert (mail.subject, mail.text) == ("Fertig: Holidays 0", f"Hallo Alice: {HOME}/watch/film0")
    assert "Every version of it is made." in mail.html
    assert "subclasses" not in mail.html and "&lt;class" not in mail.html
    await house.later(DAY)
    (own / "video_processed.txt").write_text("{% for x in y %}")
    await house.tell(house.processed(1))
    await house.settled()
    assert "Hello Alice," in house.mails[1][1].text


async def test_a_channel_that_fails(house: NoticeHouse) -> None:
    """Trouble is tried again, a refusal is not, and an error that no notifier should make is no end either."""
    await house.room.preferences.change(house.people["alice"], {}, {"pager": "1"})
    house.pager.troubles += [NotifyUnavailable("It is busy."), ZeroDivisionError("oh"), NotifyUnavailable("Still.")]
    await house.tell(house.processed())
    await house.settled()
    for wait in (10, 10 * MINUTE, 60 * MINUTE):
        assert house.pager.sent == []
        await house.later(wait)
    assert len(house.pager.sent) == 1
    house.pager.troubles += [NotifyRefused("No such number.")]
    await house.tell(house.processed(1))
    await house.settled()
    await house.later(DAY)
    assert len(house.pager.sent) == 1
    [dead] = [one for one in await house.under_the_bell("root") if one[0] == "dead_letters"]
    assert dead[1] == "Something could not be delivered"


async def test_a_test_by_each_channel(house: NoticeHouse) -> None:
    """Somebody can try whether a channel reaches them, and is told why not."""
    alice = house.people["alice"]
    await house.room.test(alice, "in_app")
    await house.room.test(alice, "email")
    await house.settled()
    assert [title for _, title in await house.under_the_bell("alice")] == ["A test from Film club"]
    assert [mail.subject for _, mail in house.mails] == ["A test from Film club"]
    for channel in ("pager", "wall", "smoke"):
        with pytest.raises(InvalidInput):
            await house.room.test(alice, channel)
    await house.room.preferences.change(alice, {}, {"pager": "1"})
    house.pager.troubles.append(NotifyRefused("No such number."))
    with pytest.raises(NotifyRefused):
        await house.room.test(alice, "pager")


async def test_reading(house: NoticeHouse) -> None:
    """What is read stays, and counts no more; what is somebody else's is not there."""
    await house.tell(house.processed(), house.processed(1))
    await house.settled()
    bell = house.room.bell
    newest = (await bell.listed(ALICE, limit=1)).items[0]
    assert await bell.unread(ALICE) == 2
    await bell.read(ALICE, newest.notice.id)
    await bell.read(ALICE, newest.notice.id)
    assert await bell.unread(ALICE) == 1
    assert [one.notice.id for one in (await bell.listed(ALICE, limit=9, unread=True)).items] != [newest.notice.id]
    for who, what in (("carol", newest.notice.id), ("alice", NoticeId("nothing"))):
        with pytest.raises(NotFound):
            await bell.read(UserId(who), what)
    assert (await bell.read_all(ALICE), await bell.read_all(ALICE), await bell.unread(ALICE)) == (1, 0, 0)
    house.bench.ahead += 91 * DAY
    await house.bench.add(SweepNotices())
    await house.settled()
    assert (await bell.listed(ALICE)).items == []


async def test_listening(house: NoticeHouse) -> None:
    """Whoever listens hears at once, in order and each once, and after an absence what was missed."""
    bell = house.room.bell
    news = bell.follow(ALICE)
    first = await anext(news)
    assert (list(first.notices), first.unread) == ([], 0)
    waiting = asyncio.ensure_future(anext(news))
    await house.tell(house.processed(), house.processed(5, "carol"))
    heard = await asyncio.wait_for(waiting, 150)
    assert [one.notice.title for one in heard.notices] == ["“Holidays 0” is ready"]
    last = heard.notices[-1].number
    await news.aclose()  # type: ignore[attr-defined]  # an async generator
    await house.tell(house.processed(1))
    await house.settled()
    missed = await anext(bell.follow(ALICE, last))
    assert [one.notice.title for one in missed.notices] == ["“Holidays 1” is ready"]
    assert missed.unread == 2


def test_every_event_has_its_notice() -> None:
    """What follows from an event is a kind that is known; what only programs want to know leads to none."""
    assert kinds_of("video_held") == (NoticeKind.VIDEO_HELD, NoticeKind.REVIEW_WAITING)
    assert kinds_of("access_revoked") == ()
    assert set(NoticeKind) - set(KINDS) == {NoticeKind.TEST}
