"""Tickets: addresses of single objects, good for a while, and not for anything else."""

from __future__ import annotations

import re

import pytest

from streamhost.model.cdn import shared_expiry
from streamhost.model.tickets import InvalidTicket, Tickets

KEY = "videos/film/pack/v720/0.m4s"
NOW = 1_800_000_000.0


class House:
    """A clock and the moments at which videos were withdrawn, both to be moved."""

    def __init__(self) -> None:
        self.now = NOW
        self.withdrawn: dict[str, float] = {}

    def tickets(self, key: bytes = b"k" * 32) -> Tickets:
        """Its tickets."""
        return Tickets(key, lambda: self.now, lambda video: self.withdrawn.get(video, 0.0))


def ticket_of(path: str) -> str:
    return path.split("/")[2]


def test_a_ticket_opens_its_object_until_it_ends() -> None:
    """It says for how many seconds; at the very moment it ends it opens nothing."""
    house = House()
    path = house.tickets().path(KEY, NOW + 90)
    assert re.fullmatch(r"/o/[0-9a-f]{8}-[A-Za-z0-9_-]{22}/" + re.escape(KEY), path)
    assert house.tickets().check(ticket_of(path), KEY) == 90
    house.now = NOW + 90
    with pytest.raises(InvalidTicket):
        house.tickets().check(ticket_of(path), KEY)


@pytest.mark.parametrize("key", ["videos/film/pack/v720/1.m4s", "videos/other/pack/v720/0.m4s", KEY + "x", ""])
def test_a_ticket_opens_nothing_else(key: str) -> None:
    """Another file, another video: refused."""
    tickets = House().tickets()
    with pytest.raises(InvalidTicket):
        tickets.check(ticket_of(tickets.path(KEY, NOW + 90)), key)


def test_no_other_text_is_a_ticket() -> None:
    """Any sign changed, a later moment, another instance's key: refused."""
    house = House()
    ticket = ticket_of(house.tickets().path(KEY, NOW + 90))
    later = f"{int(NOW) + 900:08x}{ticket[8:]}"
    others = [ticket[:at] + ("A" if ticket[at] != "A" else "B") + ticket[at + 1 :] for at in range(9, len(ticket))]
    for wrong in (later, ticket.upper(), ticket + "A", "", ticket[:-1], *others):
        with pytest.raises(InvalidTicket):
            house.tickets().check(wrong, KEY)
    with pytest.raises(InvalidTicket):
        house.tickets(b"x" * 32).check(ticket, KEY)


def test_withdrawing_a_video_ends_its_tickets() -> None:
    """And no other video's; tickets given afterwards work, under other addresses, of which no cache has a copy."""
    house = House()
    tickets = house.tickets()
    other = "videos/other/pack/0.m4s"
    before, of_other = tickets.path(KEY, NOW + 90), tickets.path(other, NOW + 90)
    house.withdrawn["film"] = NOW + 1
    with pytest.raises(InvalidTicket):
        tickets.check(ticket_of(before), KEY)
    assert tickets.check(ticket_of(of_other), other) == 90
    after = tickets.path(KEY, NOW + 90)
    assert after != before
    assert tickets.check(ticket_of(after), KEY) == 90


def test_everybody_gets_the_same_moment() -> None:
    """Within a window all addresses end at one moment, one to two windows away."""
    moments = {shared_expiry(NOW // 600 * 600 + second, 600) for second in range(0, 600, 7)}
    assert len(moments) == 1
    for second in range(0, 1200, 11):
        assert 600 < shared_expiry(NOW + second, 600) - (NOW + second) <= 1200
