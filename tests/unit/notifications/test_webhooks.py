"""Webhooks through bad days: tried again, kept when dead, delivered later, switched off, their secrets sealed."""

from __future__ import annotations

import pytest
from standardwebhooks import Webhook

from streamhost.db import deliveries as delivery_rows
from streamhost.features.audit import Audit
from streamhost.features.notifications.errors import WebhookOff
from streamhost.features.notifications.sealing import Sealer, SecretUnreadable
from streamhost.features.notifications.webhooks import NewSecret
from streamhost.model.audit import Act, Actor
from streamhost.model.clock import DAY, HOUR, MINUTE
from streamhost.model.errors import InvalidInput, NotFound
from streamhost.model.events import AccessRevoked
from streamhost.model.ids import DeliveryId, VideoId, WebhookId
from streamhost.model.notices import DeliveryState
from streamhost.ports import NotifyUnavailable
from streamhost.testing.faulty_http import Reply, close_early, hang
from tests.unit.notifications.conftest import PATIENCE, NoticeHouse

ROOT = Actor(None, "root@example.org", "203.0.113.9")


async def hook(house: NoticeHouse, *kinds: str) -> NewSecret:
    """A webhook for the listening endpoint."""
    return await house.room.webhooks.create(f"{house.server.url}/hook", kinds, "the indexer", ROOT)


async def test_what_it_is_told(house: NoticeHouse) -> None:
    """Events of its kinds arrive, signed by the secret that was shown; others do not."""
    made = await hook(house, "video_processed")
    other = await hook(house)
    await house.tell(house.processed(), AccessRevoked(VideoId("film0"), at=house.bench.clock()))
    await house.settled()
    read = [(asked, dict(asked.headers)) for asked in house.server.requests]
    # The clock of this house is the real one.
    mine = [asked for asked, headers in read if _fits(made.secret, asked.body, headers)]
    theirs = [asked for asked, headers in read if _fits(other.secret, asked.body, headers)]
    assert (len(read), len(mine), len(theirs)) == (3, 1, 2)
    document = Webhook(made.secret).verify(mine[0].body, dict(mine[0].headers))
    assert document["type"] == "video.processed"
    assert document["data"] == {"video_id": "film0", "owner_id": "alice", "title": "Holidays 0"}
    status = await house.room.webhooks.get(made.webhook.id)
    assert (status.waiting, status.dead, status.webhook.failing_since) == (0, 0, None)
    assert status.webhook.delivered_at is not None


def _fits(secret: str, body: bytes, headers: dict[str, str]) -> bool:
    try:
        Webhook(secret).verify(body, headers)
    except Exception:
        return False
    return True


async def test_patience_and_dead_letters(house: NoticeHouse) -> None:
    """It is tried eight times in about a day under one id, then kept; the administrators hear of it, once a day."""
    made = await hook(house)
    house.server.script += [Reply(503), close_early, *[Reply(500, body=b"broken")] * 20]
    await house.tell(house.processed())
    await house.settled()
    waits = [5, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 10 * HOUR]
    for number, wait in enumerate(waits, 1):
        assert len(house.server.requests) == number
        [waiting] = await house.room.webhooks.deliveries(made.webhook.id)
        assert waiting.next_at is not None and waiting.error_detail
        assert wait <= waiting.next_at - house.bench.clock() + 30 <= wait * 1.2 + 60
        await house.later(wait * 1.2 + 1)
    assert len(house.server.requests) == 8
    assert len({asked.headers["webhook-id"] for asked in house.server.requests}) == 1
    [dead] = await house.room.webhooks.deliveries(made.webhook.id, DeliveryState.DEAD)
    assert (dead.attempts, dead.error_detail) == (8, "It answered 500: broken")
    assert [kind for kind, _ in await house.under_the_bell("root")] == ["dead_letters"]
    assert (await house.room.webhooks.get(made.webhook.id)).webhook.failing_since is not None
    async with house.db.write() as conn:
        await house.room.dead_letter(conn, "Another one.", "/admin/mail")
    assert len(await house.under_the_bell("root")) == 1

    house.server.script.clear()
    await house.room.webhooks.replay(made.webhook.id, dead.id, ROOT)
    await house.settled()
    assert house.server.requests[-1].headers["webhook-id"] == dead.notice.id
    [arrived] = await house.room.webhooks.deliveries(made.webhook.id)
    assert (arrived.state, arrived.attempts, arrived.error_code) == (DeliveryState.DELIVERED, 1, None)
    assert (await house.room.webhooks.get(made.webhook.id)).webhook.failing_since is None


async def test_a_server_in_trouble_rests(house: NoticeHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """While an endpoint hangs, what else waits for it is not tried; afterwards everything arrives."""
    made = await hook(house)
    house.server.script += [hang]
    with monkeypatch.context() as impatient:
        impatient.setattr(house.poster, "_seconds", 1.0)
        await house.tell(*(house.processed(number) for number in range(6)))
        await house.settled()
    assert len(house.server.requests) == 1
    assert (await house.room.webhooks.get(made.webhook.id)).waiting == 6
    for _ in range(4):
        await house.later(6 * MINUTE)
    assert (await house.room.webhooks.get(made.webhook.id)).waiting == 0
    assert len({asked.headers["webhook-id"] for asked in house.server.requests}) == 6


async def test_asked_to_wait(house: NoticeHouse) -> None:
    """`Retry-After` is heeded where it is longer than we would wait."""
    made = await hook(house)
    house.server.script.append(Reply(429, {"Retry-After": "7200"}))
    await house.tell(house.processed())
    await house.settled()
    [waiting] = await house.room.webhooks.deliveries(made.webhook.id)
    assert waiting.next_at is not None
    assert 7000 < waiting.next_at - house.bench.clock() < 7300


async def test_switched_off_after_days(house: NoticeHouse) -> None:
    """One that has failed for too long gets nothing more, the administrators know why, and nothing of it is lost."""
    made = await hook(house)
    room = house.room.webhooks
    house.server.script += [Reply(500)] * 3
    await house.tell(house.processed())
    await house.settled()
    house.bench.ahead += PATIENCE
    await house.tell(house.processed(1))
    await house.settled()
    status = await room.get(made.webhook.id)
    assert status.webhook.disabled_because.startswith("It has failed for 5 days.")
    assert (status.waiting, status.dead) == (0, 2)
    assert [kind for kind, _ in await house.under_the_bell("root")] == ["webhook_disabled"]
    asked = len(house.server.requests)
    await house.tell(house.processed(2))
    await house.later(DAY)
    assert len(house.server.requests) == asked
    with pytest.raises(WebhookOff):
        await room.replay_since(made.webhook.id, 0.0, ROOT)
    house.server.script.clear()
    await room.change(made.webhook.id, ROOT, enabled=True)
    assert await room.replay_since(made.webhook.id, house.bench.clock() - 30 * DAY, ROOT) == 3
    await house.settled()
    assert {one.state for one in await room.deliveries(made.webhook.id)} == {DeliveryState.DELIVERED}
    assert await room.replay_since(made.webhook.id, house.bench.clock() - 30 * DAY, ROOT) == 0
    assert await room.replay_since(made.webhook.id, house.bench.clock() - 30 * DAY, ROOT, everything=True) == 3
    await house.settled()


async def test_an_endpoint_that_is_over(house: NoticeHouse) -> None:
    """410 switches it off at once, with everything that waits."""
    made = await hook(house)
    house.server.script += [Reply(410)]
    await house.tell(house.processed(), house.processed(1))
    await house.settled()
    status = await house.room.webhooks.get(made.webhook.id)
    assert (status.webhook.disabled_because, status.dead) == ("It answered 410: it wants no more.", 2)
    assert len(house.server.requests) == 1


async def test_a_new_secret(house: NoticeHouse) -> None:
    """In the overlap both sign; afterwards the new one alone. No secret stands in the catalog in the clear."""
    made = await hook(house)
    room = house.room.webhooks
    fresh = await room.rotate(made.webhook.id, ROOT, 2 * HOUR)
    await room.test(made.webhook.id)
    [asked] = house.server.requests
    assert all(_fits(secret, asked.body, dict(asked.headers)) for secret in (made.secret, fresh.secret))
    house.bench.ahead += 2 * HOUR + 1
    await room.test(made.webhook.id)
    assert house.server.requests[-1].headers["webhook-signature"].count("v1,") == 1
    for hours in (-1.0, 31 * DAY):
        with pytest.raises(InvalidInput):
            await room.rotate(made.webhook.id, ROOT, hours)
    async with house.db.read() as conn:
        rows = await conn.fetch_all("SELECT * FROM webhooks")
        log = await conn.fetch_all("SELECT * FROM audit")
    everything = f"{rows} {log} {house.db.path.read_bytes()!r} {made} {fresh}"
    for secret in (made.secret, fresh.secret):
        assert secret not in everything and secret.removeprefix("whsec_") not in everything
    with pytest.raises(SecretUnreadable):
        Sealer({1: b"s" * 32}).open("streamhost webhook other", rows[0]["secret"])
    with pytest.raises(SecretUnreadable):
        Sealer({1: b"x" * 32}).open(f"streamhost webhook {made.webhook.id}", rows[0]["secret"])


async def test_what_cannot_be_one(house: NoticeHouse) -> None:
    """Addresses inside, addresses that are none, events that there are not: refused in words, by field."""
    room = house.room.webhooks
    for url, kinds, note, field in (
        ("http://10.0.0.1/", (), "", "url"),
        ("https://192.168.1.1/hook", (), "", "url"),
        ("https://[::1]/", (), "", "url"),
        ("http://example.org.invalid./", ("nothing",), "", "kinds"),
        ("gopher://example.org/", (), "", "url"),
        (f"{house.server.url}/hook", (), "two\nlines", "note"),
    ):
        with pytest.raises(InvalidInput) as failure:
            await room.create(url, kinds, note, ROOT)
        assert field in failure.value.fields
    assert await room.listed() == []
    for call in (room.get, room.test, room.deliveries):
        with pytest.raises(NotFound):
            await call(WebhookId("nothing"))


async def test_a_test_and_the_log(house: NoticeHouse) -> None:
    """A test says at once how it went and is not tried again; who did what stands in the audit log."""
    made = await hook(house)
    room = house.room.webhooks
    house.server.script.append(Reply(500))
    with pytest.raises(NotifyUnavailable):
        await room.test(made.webhook.id)
    await house.later(DAY)
    assert len(house.server.requests) == 1
    await room.change(made.webhook.id, ROOT, note="the other indexer", kinds=["disk_low"])
    await room.remove(made.webhook.id, ROOT)
    assert await room.listed() == []
    page = await Audit(house.db, house.bench.clock).entries()
    acts = [entry.act for entry in page.items]
    assert acts == [Act.WEBHOOK_REMOVED, Act.WEBHOOK_CHANGED, Act.WEBHOOK_ADDED]


async def test_a_delivery_of_one_is_not_anothers(house: NoticeHouse) -> None:
    """Nobody delivers by one webhook what was for another."""
    made, other = await hook(house), await hook(house)
    await house.tell(house.processed())
    await house.settled()
    [delivery] = await house.room.webhooks.deliveries(made.webhook.id)
    for wrong in (delivery.id, DeliveryId("nothing")):
        with pytest.raises(NotFound):
            await house.room.webhooks.replay(other.webhook.id, wrong, ROOT)
    async with house.db.read() as conn:
        assert (await delivery_rows.counts(conn))[made.webhook.target] == {DeliveryState.DELIVERED: 1}
