"""What every implementation of the `Notifier` port must do.

Subclass `NotifierContract`, override the fixture `office`, and run pytest (with `asyncio_mode = "auto"`).
`RemoteNotifierContract` is for those that speak HTTP to somebody: their office stands on a `FaultyHttp`.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import pytest

from streamhost.model.ids import NoticeId, UserId
from streamhost.model.notices import Notice, Recipient, Urgency
from streamhost.ports import Notifier, NotifyRefused, NotifyUnavailable
from streamhost.testing import faulty_http
from streamhost.testing.faulty_http import FaultyHttp, Reply

PATIENCE = 60.0
"""Seconds within which a failure must be told, on a slow machine; for the faults that never end, the time-out of a
notifier under test is 2 at most."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """A notice as it arrived. `said` is everything that a person or program reads of it; `id` is empty where the
    channel has none."""

    said: str
    id: str = ""


class Office(Protocol):
    """A notifier under test, and the place where its notices arrive."""

    @property
    def notifier(self) -> Notifier:
        """What is under test."""
        ...

    @property
    def recipient(self) -> Recipient | None:
        """Whom it can reach; None if it reaches nobody in particular."""
        ...

    async def received(self) -> list[Arrived]:
        """Everything that has arrived so far."""
        ...

    async def close(self) -> None:
        """Take nothing more."""
        ...


class RemoteOffice(Office, Protocol):
    """An office behind a server that can be told to misbehave."""

    @property
    def server(self) -> FaultyHttp:
        """The server."""
        ...


def notice(number: int = 0, recipient: Recipient | None = None, **changed: Any) -> Notice:
    """A notice for alice; each number is another one."""
    values: dict[str, Any] = {
        "id": NoticeId(f"notice{number}"),
        "kind": "video_processed",
        "at": 1_800_000_000.0,
        "title": f"“Holidays {number}” is ready",
        "text": "Every version of it is made.",
        "action": "Watch it",
        "path": f"/watch/film{number}",
        "link": f"https://video.example.org/watch/film{number}",
        "urgency": Urgency.NORMAL,
        "recipient": recipient,
        "data": {"video_id": f"film{number}", "title": f"Holidays {number}", "owner_id": "alice"},
    }
    return Notice(**(values | changed))


def alice(address: str = "") -> Recipient:
    """Whom notices are for."""
    return Recipient(UserId("alice"), "Alice", "alice@example.org", address)


class NotifierContract:
    """The suite."""

    says: ClassVar[tuple[str, ...]] = ("Holidays 0",)
    """What must be read in a notice that has arrived."""

    @pytest.fixture
    def office(self) -> Office:
        """An open office to which nothing has come yet."""
        raise pytest.UsageError("override the fixture `office`")

    async def test_a_notice_arrives(self, office: Office) -> None:
        """What was sent has arrived when `send` returns."""
        await office.notifier.send(notice(recipient=office.recipient))
        [came] = await office.received()
        assert [part for part in self.says if part not in came.said] == []

    async def test_every_language(self, office: Office) -> None:
        """Letters of all scripts arrive as they were written."""
        words = "Zoë: 歡迎 — добро пожаловать 🎬"
        sent = notice(recipient=office.recipient, title=words, text=words, data={"title": words})
        await office.notifier.send(sent)
        [came] = await office.received()
        assert words in came.said

    async def test_hostile_words_stay_words(self, office: Office) -> None:
        """Line breaks, headers and markup in what users typed neither break the channel nor become more than words."""
        title = "<b>x</b>\r\nX-Injected: yes\r\n\r\n{{ 7 * 7 }} \x1b[2J \x00 \u202e"
        sent = notice(recipient=office.recipient, title=title, text=title, data={"title": title})
        await office.notifier.send(sent)
        [came] = await office.received()
        assert "X-Injected" in came.said
        assert " 49 " not in came.said

    async def test_long_words(self, office: Office) -> None:
        """A text that is much too long is shortened or taken; it is no reason to fail."""
        await office.notifier.send(notice(recipient=office.recipient, title="word " * 400, text="word " * 4000))
        assert len(await office.received()) == 1

    async def test_without_anything_to_open(self, office: Office) -> None:
        """A notice that leads nowhere, and says no more than its title, arrives too."""
        await office.notifier.send(notice(recipient=office.recipient, text="", action="", path="", link=""))
        assert len(await office.received()) == 1

    async def test_many_at_once(self, office: Office) -> None:
        """Notices sent at the same time all arrive, each once."""
        await asyncio.gather(*(office.notifier.send(notice(n, office.recipient)) for n in range(8)))
        came = await office.received()
        assert [sum(f"Holidays {n}" in one.said for one in came) for n in range(8)] == [1] * 8

    async def test_sent_twice(self, office: Office) -> None:
        """The same notice sent again, because nobody knows whether it arrived, is there once or has the same id."""
        for _ in range(2):
            await office.notifier.send(notice(recipient=office.recipient))
        came = await office.received()
        assert len(came) == 1 or (len({one.id for one in came}) == 1 and came[0].id)

    async def test_nobody_there(self, office: Office) -> None:
        """With nobody to take the notice, `NotifyUnavailable` says so, in words."""
        await office.close()
        with pytest.raises(NotifyUnavailable) as failure:
            await office.notifier.send(notice(recipient=office.recipient))
        assert failure.value.detail
        assert not failure.value.permanent


class RemoteNotifierContract(NotifierContract):
    """The suite for notifiers that speak HTTP to somebody else's server."""

    refusal: ClassVar[int] = 400
    """A status that means that this notice will never be taken."""

    @pytest.fixture
    def office(self) -> RemoteOffice:
        """As above, with a server that can misbehave; the notifier gives up after 2 seconds at most."""
        raise pytest.UsageError("override the fixture `office`")

    @pytest.mark.parametrize("status", [500, 502, 503, 408, 429])
    async def test_trouble_over_there(self, office: RemoteOffice, status: int) -> None:
        """A server in trouble, or with too much to do, is tried again later; then the notice arrives."""
        office.server.script.append(Reply(status, body=b"oh dear"))
        with pytest.raises(NotifyUnavailable) as failure:
            await office.notifier.send(notice(recipient=office.recipient))
        assert str(status) in failure.value.detail
        await office.notifier.send(notice(recipient=office.recipient))
        assert "Holidays 0" in (await office.received())[-1].said

    @pytest.mark.parametrize("status", [429, 503])
    async def test_asked_to_wait(self, office: RemoteOffice, status: int) -> None:
        """`Retry-After` is passed on, as a number of seconds, however large or odd it is."""
        for value, least, most in (
            ("120", 120, 120),
            ("Fri, 31 Dec 9999 23:59:59 GMT", 3600, 10**6),
            ("99999999", 3600, 10**6),
        ):
            office.server.script.append(Reply(status, {"Retry-After": value}))
            with pytest.raises(NotifyUnavailable) as failure:
                await office.notifier.send(notice(recipient=office.recipient))
            assert failure.value.retry_after is not None
            assert least <= failure.value.retry_after <= most
        office.server.script.append(Reply(status, {"Retry-After": "soon"}))
        with pytest.raises(NotifyUnavailable) as failure:
            await office.notifier.send(notice(recipient=office.recipient))
        assert failure.value.retry_after is None

    async def test_refused(self, office: RemoteOffice) -> None:
        """A refusal is for good, and what the server said is told."""
        office.server.script.append(Reply(self.refusal, body=b'{"error": "no such thing"}'))
        with pytest.raises(NotifyRefused) as failure:
            await office.notifier.send(notice(recipient=office.recipient))
        assert failure.value.permanent
        assert str(self.refusal) in failure.value.detail

    @pytest.mark.parametrize("fault", ["hang", "drip", "close_early", "half_an_answer", "no_http", "flood_head"])
    async def test_no_answer(self, office: RemoteOffice, fault: str) -> None:
        """A server that hangs, drips, breaks off, talks nonsense or without end is given up in time."""
        office.server.script.append(getattr(faulty_http, fault))
        begin = time.monotonic()
        with pytest.raises(NotifyUnavailable) as failure:
            await office.notifier.send(notice(recipient=office.recipient))
        assert failure.value.detail
        assert time.monotonic() - begin < PATIENCE

    async def test_an_answer_without_end(self, office: RemoteOffice) -> None:
        """A success is one, however much comes after it; it is not read."""
        office.server.script.append(faulty_http.flood_body)
        begin = time.monotonic()
        await office.notifier.send(notice(recipient=office.recipient))
        assert time.monotonic() - begin < PATIENCE

    async def test_redirects_are_not_followed(self, office: RemoteOffice) -> None:
        """Nobody over there decides where a notice goes."""
        office.server.script.append(Reply(307, {"Location": f"{office.server.url}/elsewhere"}))
        with pytest.raises((NotifyUnavailable, NotifyRefused)):
            await office.notifier.send(notice(recipient=office.recipient))
        assert len(office.server.requests) == 1
